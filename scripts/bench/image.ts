import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Measurement } from './measurement.ts';
import { pinectl } from './pinectl.ts';
import { compare, runProgram } from './timed.ts';

const blockSize = 16 * 1024;

/** `pinectl image --format squashfs` next to mksquashfs, both without compression. */
export const measure: Measurement = async ({ folder, runs, roots }) => {
  const { v1 } = await roots();
  const repo = join(folder, 'repo');
  await runProgram(pinectl('init', '--repo', repo));
  await runProgram(pinectl('commit', '--repo', repo, '--ref', 'bench', '--tree', v1));
  const ours = join(folder, 'pine.squashfs');
  const theirs = join(folder, 'mksquashfs.squashfs');
  const contestants = await compare(
    [
      {
        name: 'pinectl image',
        prepare: async () => rmSync(ours, { force: true }),
        command: () =>
          pinectl(
            ...['image', '--repo', repo, '--ref', 'bench', '--format', 'squashfs', '-o', ours],
          ),
        bytes: () => ({ image: statSync(ours).size }),
      },
      {
        name: 'mksquashfs',
        prepare: async () => rmSync(theirs, { force: true }),
        command: () => [
          ...(['mksquashfs', v1, theirs, '-noI', '-noD', '-noF', '-noX', '-no-fragments'] as const),
          ...['-no-duplicates', '-b', `${blockSize}`, '-no-progress', '-quiet'],
        ],
        sync: [theirs],
        bytes: () => ({ image: statSync(theirs).size }),
      },
    ],
    runs,
  );
  return {
    what: 'the image of an Alpine root into a new file, synced',
    contestants,
    notes: [
      'pinectl inflates and checks each object of the repository and hashes the image; mksquashfs reads the plain files, with a thread per processor',
    ],
  };
};
