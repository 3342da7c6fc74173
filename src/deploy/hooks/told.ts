import { replaceFile } from '../durable-file.ts';
import { isRecord, parseJson, text, whole } from '../json.ts';
import type { Machine } from '../machine.ts';
import { hooksFile } from '../paths.ts';
import type { HistoryEvent } from '../state.ts';
import type { FailedHook } from './run-hooks.ts';

/** The last event of the history that hooks were run for. */
export interface Told {
  readonly time: number;
  readonly kind: string;
  readonly deployment: string;
  /** Whether all have ended, and which failed; or else how often they were started. */
  readonly hooks:
    | { readonly kind: 'ended'; readonly failed: readonly FailedHook[] }
    | { readonly kind: 'started'; readonly times: number };
}

const limit = 64 * 1024;
const mostFailed = 50;

export function isAbout(told: Told | undefined, event: HistoryEvent): boolean {
  return (
    told?.time === event.time && told.kind === event.kind && told.deployment === event.deployment
  );
}

/** What was told last; `undefined` when nothing was, or nothing that can be read. */
export async function readTold(machine: Machine): Promise<Told | undefined> {
  const bytes = await machine.files.readFile(hooksFile(machine), limit).catch(() => undefined);
  const value = bytes && parseJson(bytes);
  if (!isRecord(value) || value.version !== 1) return undefined;
  const time = whole(value.time);
  const times = whole(value.started);
  const kind = text(value.kind, /^[a-z-]{1,32}$/);
  const deployment = text(value.deployment, /^[0-9a-z.-]{1,32}$/);
  if (time === undefined || kind === undefined || deployment === undefined) return undefined;
  if (times !== undefined) return { time, kind, deployment, hooks: { kind: 'started', times } };
  if (!Array.isArray(value.failed)) return undefined;
  const failed = value.failed.map(parseFailed).filter((hook) => hook !== undefined);
  return { time, kind, deployment, hooks: { kind: 'ended', failed } };
}

/** Replaces what was told last, durably. */
export async function writeTold(machine: Machine, { hooks, ...event }: Told): Promise<void> {
  const end =
    hooks.kind === 'ended'
      ? { failed: hooks.failed.slice(0, mostFailed) }
      : { started: hooks.times };
  const bytes = Buffer.from(`${JSON.stringify({ version: 1, ...event, ...end }, null, 2)}\n`);
  await replaceFile(machine.files, hooksFile(machine), bytes);
}

function parseFailed(value: unknown): FailedHook | undefined {
  if (!isRecord(value)) return undefined;
  const name = text(value.name, /^.{1,300}$/s);
  const detail = text(value.detail, /^.{0,500}$/s);
  return name === undefined || detail === undefined ? undefined : { name, detail };
}
