import { PineError } from '../error.ts';
import { removeDurably, replaceFile } from './durable-file.ts';
import type { Machine } from './machine.ts';
import { stateFolder } from './paths.ts';
import { emptyState, formatState, type MachineState, parseState, stateLimit } from './state.ts';
import { formatWriting, parseWriting, type Writing, writingLimit } from './writing.ts';

/** What was read, and a note for the user when the file was damaged and so counts as lost. */
export interface Remembered<T> {
  readonly value: T;
  readonly note?: string;
}

/** Reads state.json; empty when it is missing or damaged, which is never fatal. */
export async function readState(machine: Machine): Promise<Remembered<MachineState>> {
  const path = `${stateFolder(machine)}/state.json`;
  const bytes = await readOrDamaged(machine, path, stateLimit);
  if (bytes === undefined) return { value: emptyState };
  const value = bytes === 'damaged' ? undefined : parseState(bytes);
  return value === undefined
    ? { value: emptyState, note: `${path} is damaged: the history and held commits are lost` }
    : { value };
}

/** Replaces state.json, durably. */
export function writeState(machine: Machine, state: MachineState): Promise<void> {
  return replaceFile(machine.files, `${stateFolder(machine)}/state.json`, formatState(state));
}

/** Reads writing.json; `undefined` when no write is under way, or none that can be resumed. */
export async function readWriting(machine: Machine): Promise<Writing | undefined> {
  const bytes = await readOrDamaged(machine, writingFile(machine), writingLimit);
  return bytes === undefined || bytes === 'damaged' ? undefined : parseWriting(bytes);
}

/** Replaces writing.json, durably. What it says to be durable must be so already (S6). */
export function writeWriting(machine: Machine, writing: Writing): Promise<void> {
  return replaceFile(machine.files, writingFile(machine), formatWriting(writing));
}

/** Forgets the write under way: it is complete, or starts over. */
export function removeWriting(machine: Machine): Promise<void> {
  return removeDurably(machine.files, writingFile(machine));
}

function writingFile(machine: Machine): string {
  return `${stateFolder(machine)}/writing.json`;
}

async function readOrDamaged(
  machine: Machine,
  path: string,
  limit: number,
): Promise<Buffer | 'damaged' | undefined> {
  try {
    return await machine.files.readFile(path, limit);
  } catch (error) {
    if (error instanceof PineError && error.code === 'CORRUPT_TOO_LARGE') return 'damaged';
    throw error;
  }
}
