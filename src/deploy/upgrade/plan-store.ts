import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { PineError } from '../../error.ts';
import type { Digest } from '../../image/digest.ts';
import { openPlan, type Plan } from '../../plan/plan-file.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';

/** Bytes that are collected before they are appended to the file (S9). */
const pieceSize = 256 * 1024;

/** A plan on the data partition that is what `digest` says; `undefined` when it is missing or another. */
export async function openStoredPlan(
  files: FileSystem,
  path: string,
  digest: Digest,
): Promise<Plan | undefined> {
  const status = await files.status(path);
  if (status?.kind !== 'file' || status.size !== digest.size) return undefined;
  const reader = fileReader(files, path, digest.size);
  const hash = createHash('sha256');
  for (let position = 0; position < digest.size; position += pieceSize) {
    hash.update(await reader.read(position, Math.min(pieceSize, digest.size - position)));
  }
  return hash.digest('hex') === digest.sha256 ? openPlan(reader) : undefined;
}

/**
 * Stores a plan, whole or not at all, and opens it. Throws CORRUPT_PLAN when `bytes` are not what the signed
 * commit promises: nothing in a plan is looked at before (S5).
 */
export async function storePlan(
  files: FileSystem,
  path: string,
  digest: Digest,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Plan> {
  const temporary = `${path}.new`;
  await files.makeFolder(dirname(path), 0o755);
  try {
    await writePlan(files, temporary, digest, bytes, path);
  } catch (error) {
    // Nobody goes on with the half of a plan. Why it is no more counts, whether this works or not.
    await files.remove(temporary).catch(() => {});
    throw error;
  }
  await files.sync(temporary); // S6
  await files.rename(temporary, path);
  await files.sync(dirname(path));
  return openPlan(fileReader(files, path, digest.size));
}

async function writePlan(
  files: FileSystem,
  temporary: string,
  digest: Digest,
  bytes: AsyncIterable<Uint8Array>,
  path: string,
): Promise<void> {
  await files.writeFile(temporary, new Uint8Array(), 0o644);
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of inPieces(bytes)) {
    size += piece.length;
    if (size > digest.size) break;
    hash.update(piece);
    await files.appendFile(temporary, piece, 0o644);
  }
  const sha256 = hash.digest('hex');
  if (size !== digest.size || sha256 !== digest.sha256) {
    throw wrongPlan(digest, { size, sha256 }, path);
  }
}

/** The largest plan that is held in memory, in bytes: that of an image of some 70,000 files (S9). */
export const heldPlan = 8 * 1024 * 1024;

/** Checks a plan's bytes in memory, of which there are no more than `heldPlan`, and opens it: looking writes nothing. */
export async function openPlanBytes(
  digest: Digest,
  bytes: AsyncIterable<Uint8Array>,
  where: string,
): Promise<Plan> {
  const { bytesReader } = await import('../../ports/positioned-reader.ts');
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > digest.size) break;
    pieces.push(piece);
  }
  const whole = Buffer.concat(pieces);
  const sha256 = createHash('sha256').update(whole).digest('hex');
  if (size !== digest.size || sha256 !== digest.sha256) {
    throw wrongPlan(digest, { size, sha256 }, where);
  }
  return openPlan(bytesReader(whole));
}

function fileReader(files: FileSystem, path: string, size: number): PositionedReader {
  return {
    size,
    async read(position, length) {
      const bytes = await files.readAt(path, position, length);
      if (bytes.length === length) return bytes;
      throw new PineError('CORRUPT_PLAN', 'a plan became shorter while it was read', {
        expected: `${length} bytes at ${position}`,
        found: `${bytes.length} bytes`,
        where: path,
        remedy: 'run the command again',
      });
    },
  };
}

async function* inPieces(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    waiting.push(chunk);
    size += chunk.length;
    if (size < pieceSize) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(waiting);
}

function wrongPlan(expected: Digest, found: Digest, where: string): PineError {
  return new PineError('CORRUPT_PLAN', 'a plan is not the one that the commit promises', {
    expected: `${expected.size} bytes, SHA-256 ${expected.sha256}`,
    found: found.size > expected.size ? 'more bytes' : `${found.size} bytes, ${found.sha256}`,
    where,
    remedy: 'make it again on the build host: pinectl plan REF',
  });
}
