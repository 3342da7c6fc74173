import type { Link } from '../../delta/chain/delta-index.ts';
import { type DeltaFile, openDelta } from '../../delta/decode/delta-file.ts';
import { deltaSegments } from '../../delta/decode/delta-segments.ts';
import { startLength } from '../../delta/decode/delta-start.ts';
import { deltaPath } from '../../delta/delta-path.ts';
import { corruptDelta } from '../../delta/format/corrupt-delta.ts';
import { fromNothing } from '../../delta/format/nothing.ts';
import { bytesReader, type PositionedReader } from '../../ports/positioned-reader.ts';
import type { Machine } from '../machine.ts';
import { deltaFolder } from '../paths.ts';
import { composeBetween, deltaScratch } from './compose-between.ts';
import {
  checkFileSize,
  DeltaDownload,
  type DeltaSource,
  deltaName,
  endsOf,
  readWantedStart,
  type WantedDelta,
} from './delta-download.ts';
import type { Survey } from './survey.ts';
import { isAnswer, isOfTheDelta } from './way-errors.ts';
import { whereInRemote } from './where-in-remote.ts';
import type { Recipe } from './work.ts';

type New = Extract<Survey, { kind: 'new' }>;

/**
 * Fetches deltas that lead from what runs (or from nothing) to what is wanted onto the data partition, and checks
 * all of them before the first byte of the slot changes (S5). What an earlier run fetched is gone on with (S7).
 *
 * Of the images between, only the bytes that the deltas make are kept, there too; everything else of them is
 * read in the running slot. `kept` bytes stay free (S10). Throws what `isOfTheDelta` knows, and what a remote throws.
 */
export async function obtainDeltas(
  machine: Machine,
  found: New,
  links: readonly Link[],
  { kept, ...source }: DeltaSource & { readonly kept: number },
): Promise<(slot: PositionedReader) => Recipe> {
  const wanted = links.map((link) => wantedDelta(found, link));
  await removeOthers(machine, wanted);
  const deltas: DeltaFile[] = [];
  for (const each of wanted) {
    const inPlace = source.remote.openDelta?.(endsOf(each), each.limit);
    deltas.push(
      inPlace === undefined
        ? await fetch(new DeltaDownload(machine, each, source, kept))
        : await openInPlace(inPlace, each, source),
    );
  }
  checkJoints(deltas);
  const last = deltas.at(-1);
  if (last === undefined) throw new TypeError('no deltas');
  const open = await composeBetween(machine, deltas, kept);
  return (slot) => {
    const base = open(slot);
    return { base, segments: deltaSegments(last, base, deltaScratch(machine)) };
  };
}

/**
 * The size of a delta that would be fetched. Fetches its beginning. Throws what `isOfTheDelta` knows, CORRUPT_DELTA also when the
 * remote says that its file has another size.
 */
export async function measureDelta(
  found: New,
  link: Pick<Link, 'from' | 'to'>,
  { remote, keys }: DeltaSource,
): Promise<number> {
  const wanted = wantedDelta(found, link);
  const name = whereInRemote(remote, deltaPath(link));
  let beginning = Buffer.alloc(0);
  let fileSize: number | undefined;
  const onSize = (bytes: number) => {
    fileSize = bytes;
  };
  for await (const bytes of remote.fetchDelta(link, { limit: wanted.limit, from: 0, onSize })) {
    beginning = Buffer.concat([beginning, bytes]);
    if (beginning.length < startLength(beginning, name)) continue;
    const start = await readWantedStart(bytesReader(beginning), wanted, keys, name);
    checkFileSize(start, fileSize, name);
    return start.size;
  }
  throw corruptDelta('a whole header', `${beginning.length} bytes`, name);
}

/** S5: the first and the last image are those of the two signed commits. */
function wantedDelta(
  { running, accepted }: New,
  { from, to }: Pick<Link, 'from' | 'to'>,
): WantedDelta {
  const images = new Map([
    [fromNothing.commit, fromNothing.image],
    [running.checksum, running.image],
    [accepted.checksum, accepted.image],
  ]);
  return {
    from: { commit: from, image: images.get(from) },
    to: { commit: to, image: images.get(to) },
    // No delta needs more: an image that can't be compressed, a hash for each piece of it, and the header.
    limit: Math.ceil(accepted.image.size * (1 + 1 / 1024)) + 4096,
  };
}

async function fetch(download: DeltaDownload): Promise<DeltaFile> {
  try {
    return await download.complete();
  } catch (error) {
    // What was there may be what a power cut left of it: once more from the start.
    if (download.resumedAt === 0 || isAnswer(error) || !isOfTheDelta(error)) throw error;
    await download.discard();
    return await download.complete();
  }
}

/** A delta that lies in a bundle. Each piece of it is hashed once more when it is used. */
async function openInPlace(
  file: PositionedReader,
  wanted: WantedDelta,
  { remote, keys }: DeltaSource,
): Promise<DeltaFile> {
  const name = whereInRemote(remote, deltaPath(endsOf(wanted)));
  await readWantedStart(file, wanted, keys, name);
  const delta = await openDelta(file, keys, name);
  await delta.check();
  return delta;
}

/** Each delta begins with the image that the one before it makes. */
function checkJoints(deltas: readonly DeltaFile[]): void {
  for (const [index, { header, name }] of deltas.entries()) {
    const before = deltas[index - 1]?.header.to;
    if (before === undefined || before.image.sha256 === header.from.image.sha256) continue;
    const expected = `a delta from the image ${before.image.sha256}`;
    throw corruptDelta(expected, header.from.image.sha256, name);
  }
}

/** Deltas of other upgrades, which were never finished, are in the way; so is what a chain made in a run that was cut. */
async function removeOthers(machine: Machine, wanted: readonly WantedDelta[]): Promise<void> {
  const names = new Set(wanted.map(deltaName));
  const folder = deltaFolder(machine);
  for (const name of (await machine.files.readFolder(folder)) ?? []) {
    if (!names.has(name)) await machine.files.remove(`${folder}/${name}`);
  }
}
