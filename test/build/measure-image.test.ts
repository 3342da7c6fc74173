import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { measureTree } from '../../src/build/measure.ts';
import { measureImage } from '../../src/build/measure-image.ts';
import type { SourceContent } from '../../src/build/source-node.ts';
import type { SourceTree } from '../../src/build/source-tree.ts';
import { layOutImage } from '../../src/image/layout.ts';
import { Threads } from '../../src/repo/threads/threads.ts';
import { smallTree, timestamp } from '../repo/support/small-commit.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { imageBuffer } from '../support/write-image.ts';

let threads = new Threads(0);
afterEach(() => threads.close());

/** Files that are equal, that could be, and that are not; a large one, empty ones, a hard link, an xattr. */
function manyAlike(): SourceTree {
  const tree = smallTree();
  const put = (path: string, text: string, mode = 0o644) =>
    tree.putFile(path, Buffer.from(text), { mode });
  put('/a/one', 'the same');
  put('/b/two', 'the same');
  put('/b/other-mode', 'the same', 0o600);
  put('/b/other-text', 'THE SAME');
  put('/a/alone', 'of a size that no other file has');
  put('/a/empty', '');
  put('/z/empty', '');
  put('/z/empty-too', '', 0o600);
  tree.putFile('/large', Buffer.alloc(3_000_000, 'large '), { mode: 0o644 });
  const alone = tree.find('/a/alone');
  if (alone === undefined) throw new Error('it was put there');
  tree.put('/z/link', alone);
  const value = Buffer.from('x');
  tree.put('/z/xattr', { ...alone, xattrs: [{ name: 'user.x', value }] });
  return tree;
}

describe.each([
  ['on this thread', 0],
  ['on threads', 64 * 1024 * 1024],
])('%s', (_, work) => {
  test('tree, layout and image are what they are when everything is hashed first', async () => {
    threads = new Threads(work, 2);
    const { root } = manyAlike();
    const expected = await measureTree(root, threads);
    const plain = layOutImage(expected.root, timestamp);
    const sizes: number[] = [];
    const found = await measureImage(
      root,
      timestamp,
      threads,
      () => {},
      (size) => sizes.push(size),
    );
    expect(found.tree.root).toEqual(expected.root);
    expect([...found.tree.files.keys()].sort()).toEqual([...expected.files.keys()].sort());
    expect(found.tree.links).toEqual(expected.links);
    expect([...found.layout.segments]).toEqual([...plain.segments]);
    expect(found.layout.size).toBe(plain.size);
    expect(sizes).toEqual([plain.size]);
    const bytes = await imageBuffer(plain, {
      async *open(checksum) {
        const file = expected.files.get(checksum);
        if (file === undefined) throw new Error(`no object ${checksum}`);
        yield* file.content.open();
      },
    });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(found.image).toEqual({ size: bytes.length, sha256 });
  });

  test('a file that was equal to another one, and is not any more, is refused', async () => {
    threads = new Threads(work, 2);
    const tree = manyAlike();
    let opened = 0;
    const content: SourceContent = {
      size: 8,
      async *open() {
        opened += 1;
        yield Buffer.from(opened === 1 ? 'as large' : 'AS LARGE');
      },
    };
    tree.putFile('/changing', content, { mode: 0o644 });
    await codeOfAsync(() => measureImage(tree.root, timestamp, threads), 'INPUT_FILE_CHANGED');
  });

  test('what the check throws ends it before the other contents are read', async () => {
    threads = new Threads(work, 2);
    const tree = manyAlike();
    const content: SourceContent = {
      size: 123_456,
      // biome-ignore lint/correctness/useYield: nobody may read it
      async *open() {
        throw new Error('it was read');
      },
    };
    tree.putFile('/unread', content, { mode: 0o644 });
    const refuse = () => {
      throw new Error('too large');
    };
    const attempt = measureImage(tree.root, timestamp, threads, () => {}, refuse);
    await expect(attempt).rejects.toThrow('too large');
  });
});
