import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream, readlinkSync } from 'node:fs';

/** The name that git gives to the content of a file or to the target of a link, in hex. */
export async function blobChecksum(path: string, status: BigIntStats): Promise<string> {
  if (status.isSymbolicLink()) {
    const target = readlinkSync(path, 'buffer');
    return createHash('sha1').update(`blob ${target.length}\0`).update(target).digest('hex');
  }
  const hash = createHash('sha1').update(`blob ${status.size}\0`);
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}
