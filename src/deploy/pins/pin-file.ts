import { PineError } from '../../error.ts';
import { replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { pinsFile } from '../paths.ts';
import { formatPins, type Pin, type Pins, parsePins, pinsLimit } from './pins.ts';

/** What is pinned; nothing where there is no list. */
export async function readPins(machine: Pick<Machine, 'files' | 'data'>): Promise<Pins> {
  try {
    const bytes = await machine.files.readFile(pinsFile(machine), pinsLimit);
    return bytes === undefined ? [] : parsePins(bytes);
  } catch (error) {
    if (error instanceof PineError && error.code === 'CORRUPT_TOO_LARGE') return 'damaged';
    throw error;
  }
}

/** Replaces the list, durably. */
export function writePins(machine: Machine, pins: readonly Pin[]): Promise<void> {
  return replaceFile(machine.files, pinsFile(machine), formatPins(pins));
}
