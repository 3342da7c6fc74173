import type { DeltaFile } from '../../delta/decode/delta-file.ts';
import { startLength } from '../../delta/decode/delta-start.ts';
import { type ErrorCode, PineError } from '../../error.ts';
import { bytesReader } from '../../ports/positioned-reader.ts';
import { removeDurably } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { deltaFolder } from '../paths.ts';
import { DeltaDownload, readWantedStart } from './delta-download.ts';
import type { PrepareOptions } from './prepare.ts';
import type { Survey } from './survey.ts';

/** What is wrong with a delta, and not with the upgrade: files can be fetched instead. */
const ofTheDelta: readonly ErrorCode[] = [
  'NOT_FOUND_REMOTE_FILE',
  'CORRUPT_DELTA',
  'CORRUPT_TOO_LARGE',
  'TRUST_UNKNOWN_KEY',
  'SPACE_DATA',
  'REMOTE_CHANGED',
  'REMOTE_RANGE',
];

/**
 * Fetches the delta from what runs to what is wanted onto the data partition, and checks all of it before
 * the first byte of the slot changes (S5). What an earlier run fetched is gone on with (S7). `undefined`
 * when there is none, or none that can be used: then files are fetched, which only costs bytes.
 */
export async function obtainDelta(
  machine: Machine,
  found: Extract<Survey, { kind: 'new' }>,
  options: PrepareOptions,
): Promise<DeltaFile | undefined> {
  const download = new DeltaDownload(machine, found, options);
  try {
    try {
      return await download.complete();
    } catch (error) {
      // What was there may be what a power cut left of it: once more from the start.
      if (download.resumedAt === 0 || !isOfTheDelta(error)) throw error;
      await download.discard();
      return await download.complete();
    }
  } catch (error) {
    if (!isOfTheDelta(error)) throw error;
    if (error.code !== 'NOT_FOUND_REMOTE_FILE') {
      options.note(`the delta is not used: ${error.message} (${error.details.found})`);
    }
    await removeDurably(machine.files, deltaFolder(machine));
    return undefined;
  }
}

/** The size of the delta that an upgrade would fetch; `undefined` when it would do without. Fetches its beginning. */
export async function measureDelta(
  found: Extract<Survey, { kind: 'new' }>,
  options: Pick<PrepareOptions, 'keys' | 'remote'>,
): Promise<number | undefined> {
  const { remote } = options;
  const ends = { from: found.running.checksum, to: found.accepted.checksum };
  let beginning = Buffer.alloc(0);
  try {
    const limit = found.accepted.image.size;
    for await (const bytes of remote.fetchDelta(ends, { limit, from: 0 })) {
      beginning = Buffer.concat([beginning, bytes]);
      if (beginning.length < startLength(beginning, remote.name)) continue;
      return (await readWantedStart(bytesReader(beginning), found, options, remote.name)).size;
    }
  } catch (error) {
    if (!isOfTheDelta(error)) throw error;
  }
  return undefined;
}

function isOfTheDelta(error: unknown): error is PineError {
  return error instanceof PineError && ofTheDelta.includes(error.code);
}
