import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../../error.ts';
import { readFileHeaderAt, readFileObjectAt } from '../../repo/file-object.ts';
import type { Repository } from '../../repo/repository.ts';
import type { Transaction } from '../../repo/transaction.ts';
import { fileObjectLimit, longestHeader } from '../file-object.ts';
import type { RemoteRepository } from '../remote-repository.ts';

/** So much stays free on the repository's disk, whatever a remote sends (S10). */
const reserve = 16 * 1024 * 1024;

/**
 * Fetches a .filez into a transaction, checked: header, length, SHA-256. What a killed pull had of it
 * in `tmp/` is gone on with. Gives the bytes that were fetched.
 *
 * Throws NOT_FOUND_REMOTE_FILE, CORRUPT_OBJECT, CORRUPT_TOO_LARGE, SPACE_REPOSITORY, REMOTE_….
 */
export async function receiveFileObject(
  remote: RemoteRepository,
  transaction: Transaction,
  checksum: string,
  again = false,
): Promise<number> {
  const part = partFile(transaction, checksum);
  const from = existsSync(part) ? statSync(part).size : 0;
  const limit = await roomFor(transaction.repository);
  let received = 0;
  try {
    received = await download(remote, checksum, part, from, limit);
    for await (const _ of readFileObjectAt(part, checksum));
  } catch (error) {
    const wrong = error instanceof PineError && /^(CORRUPT|REMOTE_CHANGED)/.test(error.code);
    if (wrong) rmSync(part, { force: true });
    // The deflated bytes of an object may differ from one repository to the next: two halves of
    // different ones are no whole. Once more, from the start.
    if (wrong && from > 0) return receiveFileObject(remote, transaction, checksum, again);
    throw wrong ? atRemote(error, remote, checksum) : error;
  }
  const target = again
    ? transaction.claimAnyway(checksum, 'filez')
    : transaction.claim(checksum, 'filez');
  if (target === undefined) rmSync(part);
  else renameSync(part, target);
  return received;
}

/** What is in tmp/ of an object that has not come as a whole; `Transaction.begin` leaves it there. */
function partFile(transaction: Transaction, checksum: string): string {
  return join(transaction.repository.path, 'tmp', `${partPrefix}${checksum}.filez`);
}

/** How the names of such files begin. */
export const partPrefix = 'pull-';

async function download(
  remote: RemoteRepository,
  checksum: string,
  part: string,
  from: number,
  room: number,
): Promise<number> {
  const file = await open(part, 'a');
  let size = from;
  let limit = Math.min(room, longestHeader);
  let headerKnown = false;
  const full = () =>
    noRoom(
      `room for ${placeOf(remote, checksum)}`,
      `${room} bytes, and ${reserve} that stay free`,
      part,
    );
  try {
    for await (const piece of remote.openFileObject(checksum, room, from)) {
      await file.writeFile(piece);
      size += piece.length;
      // S5: the header says how long the content is; nothing longer is waited for.
      if (size > limit && !headerKnown) {
        limit = Math.min(room, fileObjectLimit(readFileHeaderAt(part).size));
        headerKnown = true;
      }
      if (size > limit) throw limit === room ? full() : tooLong(checksum, remote, limit);
    }
  } catch (error) {
    // The bound that the source was given is the room that there is.
    throw error instanceof PineError && error.code === 'CORRUPT_TOO_LARGE' ? full() : error;
  } finally {
    await file.close();
  }
  return size - from;
}

/** How many bytes may come into a repository. Throws SPACE_REPOSITORY when there are none. */
export async function roomFor({ path }: Repository): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  const room = bavail * bsize - reserve;
  if (room > 0) return room;
  throw noRoom(`more than ${reserve} bytes free`, `${bavail * bsize} bytes`, path);
}

function noRoom(expected: string, found: string, where: string): PineError {
  return new PineError('SPACE_REPOSITORY', 'the repository has no room for more objects', {
    expected,
    found,
    where,
    remedy: 'free some space (`pinectl prune`), then pull again',
  });
}

/** What was found of a file here, which is gone by now, is so in the place that it came from. */
function atRemote(error: PineError, remote: RemoteRepository, checksum: string): PineError {
  return new PineError(error.code, error.message, {
    ...error.details,
    where: placeOf(remote, checksum),
    remedy: checkRemote,
  });
}

const checkRemote = 'run `pinectl fsck` on the repository it comes from';

function placeOf(remote: RemoteRepository, checksum: string): string {
  return `${remote.name}, ${checksum}.filez`;
}

function tooLong(checksum: string, remote: RemoteRepository, limit: number): PineError {
  return new PineError('CORRUPT_OBJECT', 'an object is longer than it says', {
    expected: `at most ${limit} bytes`,
    found: 'more',
    where: placeOf(remote, checksum),
    remedy: checkRemote,
  });
}
