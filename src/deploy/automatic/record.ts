import { randomBytes } from 'node:crypto';
import { replaceFile } from '../durable-file.ts';
import { isRecord, parseJson, text, whole } from '../json.ts';
import type { Machine } from '../machine.ts';
import { automaticFile } from '../paths.ts';

/** What unattended upgrades remember. */
export interface AutomaticRecord {
  /** What sets this machine's delays apart from those of others. */
  readonly seed: string;
  /** The day of the window that is done with. */
  readonly done?: string;
  readonly last?: LastRun;
}

/** How the last unattended upgrade ended. */
export interface LastRun {
  /** Seconds since 1970. */
  readonly time: number;
  readonly kind: 'up-to-date' | 'staged' | 'armed' | 'held' | 'pinned' | 'failed';
  /** A commit, or an error's code and message. */
  readonly detail: string;
}

const limit = 4096;
const kinds = ['up-to-date', 'staged', 'armed', 'held', 'pinned', 'failed'] as const;

/** What is remembered; `undefined` when that is nothing, or can't be read. */
export async function readAutomatic(machine: Machine): Promise<AutomaticRecord | undefined> {
  const bytes = await machine.files.readFile(automaticFile(machine), limit).catch(() => undefined);
  const value = bytes && parseJson(bytes);
  if (!isRecord(value) || value.version !== 1) return undefined;
  const seed = text(value.seed, /^[0-9a-f]{16}$/);
  if (seed === undefined) return undefined;
  const done = text(value.done, /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/);
  const last = parseLast(value.last);
  return { seed, ...(done !== undefined && { done }), ...(last && { last }) };
}

/** Begins a record: the seed is kept from the first look on, or the delay would be another at each. */
export async function beginAutomatic(machine: Machine): Promise<AutomaticRecord> {
  const record = { seed: randomBytes(8).toString('hex') };
  await writeAutomatic(machine, record);
  return record;
}

/** Replaces what is remembered, durably. */
export async function writeAutomatic(machine: Machine, record: AutomaticRecord): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify({ version: 1, ...record }, null, 2)}\n`);
  await replaceFile(machine.files, automaticFile(machine), bytes);
}

function parseLast(value: unknown): LastRun | undefined {
  if (!isRecord(value)) return undefined;
  const time = whole(value.time);
  const kind = kinds.find((known) => known === value.kind);
  const detail = text(value.detail, /^.{0,500}$/s);
  if (time === undefined || kind === undefined || detail === undefined) return undefined;
  return { time, kind, detail };
}
