import { copyFileSync, createWriteStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Measurement } from './measurement.ts';
import { pinectl } from './pinectl.ts';
import { compare, runProgram } from './timed.ts';

const minimum = 256 * 1024 * 1024;

/** The executor writing an image into a slot next to dd, both flushed. */
export const measure: Measurement = async ({ folder, runs, roots }) => {
  const { v1 } = await roots();
  // A server has Node.js: without it the start of the process would be most of what is measured.
  const root = join(folder, 'root');
  await runProgram(['cp', '-a', v1, root]);
  copyFileSync(process.execPath, join(root, 'usr/bin/node'));
  const repo = join(folder, 'repo');
  const image = join(folder, 'image');
  const slot = join(folder, 'slot');
  await runProgram(pinectl('init', '--repo', repo));
  await runProgram(pinectl('commit', '--repo', repo, '--ref', 'bench', '--tree', root));
  await runProgram(
    pinectl(...['image', '--repo', repo, '--ref', 'bench', '--format', 'squashfs', '-o', image]),
  );
  const { size } = statSync(image);
  await allocate(slot, Math.max(minimum, 2 * size));
  const writer = (source: 'objects' | 'ranges') =>
    [
      process.execPath,
      join(import.meta.dirname, 'slot-writer.ts'),
      source,
      repo,
      image,
      slot,
    ] as const;
  const contestants = await compare(
    [
      { name: 'executor, ranges of the other slot', command: () => writer('ranges') },
      { name: 'executor, objects of a repository', command: () => writer('objects') },
      {
        name: 'dd conv=fsync',
        command: () => [
          'dd',
          `if=${image}`,
          `of=${slot}`,
          'bs=1M',
          'conv=notrunc,fsync',
          'status=none',
        ],
      },
    ],
    runs,
  );
  return {
    what: `an image of ${Math.round(size / 1e6)} MB (v1 and Node.js) into a slot that is there already`,
    contestants,
    notes: [
      "pine's times hold the start of Node.js and a SHA-256 of all that is written",
      'the source is in the page cache',
    ],
  };
};

/** A file all of whose blocks exist, as those of a partition do. */
async function allocate(path: string, size: number): Promise<void> {
  const piece = Buffer.alloc(1024 * 1024, 0xa5);
  await pipeline(function* () {
    for (let at = 0; at < size; at += piece.length) yield piece;
  }, createWriteStream(path));
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
}
