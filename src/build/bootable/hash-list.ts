import { createHash } from 'node:crypto';
import type { SourceContent } from '../source-node.ts';

/** One line as `sha256sum` writes it, which GRUB's `hashsum --check` reads: `DIGEST  NAME`. */
export async function hashList(content: SourceContent, name: string): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const piece of content.open()) hash.update(piece);
  return Buffer.from(`${hash.digest('hex')}  ${name}\n`);
}
