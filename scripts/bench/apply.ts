import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { builtPinectl } from './built-pinectl.ts';
import type { Pair } from './delta-pairs.ts';
import type { Bench, Measurement, Result } from './measurement.ts';
import { asOnMachine, forget, MemoryGroup } from './memory-group.ts';
import { SlowDisk } from './slow-disk.ts';
import { compare, type Job, runProgram } from './timed.ts';

const limit = 64 << 20;

/** Applying the delta of a pair in a memory cgroup of 64 MB without swap, next to `cat image > slot; sync` there. */
export function measurementOf(pair: Pair): { measure: Measurement; usualRuns?: number } {
  return { measure: (bench) => measureApplying(pair, bench), usualRuns: 3 };
}

async function measureApplying(pair: Pair, bench: Bench): Promise<Result> {
  const { folder, runs, diskRate } = bench;
  const path = (file: string): string => join(folder, file);
  let [old, made, slot] = [path('old'), path('new'), path('slot')];
  const delta = path('delta');
  const pinectl = await builtPinectl(folder);
  const repo = path('repo');
  const trees = await pair.trees(bench);
  await runProgram(pinectl('init', '--repo', repo));
  for (const [tree, image] of [
    [trees.old, old],
    [trees.new, made],
  ] as const) {
    await runProgram(pinectl('commit', '--repo', repo, '--ref', 'bench', '--tree', tree));
    const output = ['--ref', 'bench', '--format', 'squashfs', '-o', image];
    await runProgram(pinectl('image', '--repo', repo, ...output));
  }
  const show = pinectl('show', '--repo', repo, '--json', 'bench');
  const { commit, parent } = JSON.parse((await runProgram(show)).output);
  await runProgram(pinectl('delta', 'generate', '--repo', repo, '--to', commit));
  copyFileSync(join(repo, 'pine/deltas', commit, `${parent}.delta`), delta);
  copyFileSync(made, slot);
  const applier = await bundleApplier(path('applier.mjs'));
  const node = (...args: string[]) => asOnMachine(process.execPath, args);
  const size = statSync(made).size;
  const group = new MemoryGroup(limit);
  const disk = diskRate === undefined ? undefined : new SlowDisk(folder, diskRate);
  try {
    if (disk !== undefined) {
      [old, made, slot] = [disk.add(old, 'old'), disk.add(made, 'new'), disk.add(slot, 'slot')];
      await disk.start();
    }
    const job = (title: string, command: readonly string[]): Job => ({
      name: title,
      async prepare() {
        await runProgram(['sync']);
        for (const file of [old, made, slot, delta]) await forget(file);
        group.reset();
      },
      command: () => group.inside(command),
      bytes: () => ({ 'in the group': group.most }),
    });
    const contestants = await compare(
      [
        job('the delta into the slot, flushed', node(applier, 'write', delta, old, slot)),
        job('cat image > slot; sync', ['sh', '-c', 'cat "$0" 1<>"$1"; sync "$1"', made, slot]),
        job('reading it back (S2)', node(applier, 'read-back', delta, old, slot)),
        job('node doing nothing', node('-e', '0')),
      ],
      runs,
    );
    return {
      what: `applying the delta of ${pair.what}, in 64 MB without swap, page cache counted: ${Math.round(size / 1e6)} MB by ${Math.round(statSync(delta).size / 1e3)} kB`,
      contestants,
      notes: [
        'nothing of images, slot and delta is in the page cache before',
        'the text of Node.js is, charged to another group, as where other programs run in it; where it is not, the read-ahead of the disk decides (docs/delta-figures.md)',
        "pine's times have the start of Node.js in them",
        ...(diskRate === undefined
          ? []
          : [
              `a disk of ${diskRate / 1e6} MB a second, for old image, new image and slot together`,
            ]),
      ],
    };
  } finally {
    await disk?.remove();
    group.remove();
  }
}

async function bundleApplier(outfile: string): Promise<string> {
  const entry = join(import.meta.dirname, 'delta-applier.ts');
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile });
  return outfile;
}
