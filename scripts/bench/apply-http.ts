import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeBenchMachine } from './bench-machine.ts';
import { builtPinectl } from './built-pinectl.ts';
import { CountingServer } from './counting-server.ts';
import type { Pair } from './delta-pairs.ts';
import type { Bench, Measurement, Result } from './measurement.ts';
import { asOnMachine, forget, MemoryGroup } from './memory-group.ts';
import { compare, type Job, runProgram } from './timed.ts';

const limit = 64 << 20;

/** A whole upgrade by the delta of a pair over HTTP in a memory cgroup of 64 MB, next to `cat image > slot; sync` there. */
export function measurementOf(pair: Pair): { measure: Measurement; usualRuns?: number } {
  return { measure: (bench) => measureUpgrade(pair, bench), usualRuns: 3 };
}

async function measureUpgrade(pair: Pair, bench: Bench): Promise<Result> {
  const { folder, runs } = bench;
  const group = new MemoryGroup(limit);
  try {
    const path = (file: string): string => join(folder, file);
    const trees = await pair.trees(bench);
    const pinectl = await builtPinectl(folder);
    const machine = await makeBenchMachine(folder, [trees.old, trees.new]);
    const { repo, disk, state, key } = machine;
    const [image, slot, base] = [path('image'), path('slot'), path('base.img')];
    const output = ['--ref', 'bench', '--format', 'squashfs', '-o', image];
    await runProgram(pinectl('image', '--repo', repo, ...output));
    await runProgram(['cp', image, slot]);
    await runProgram(['mv', disk, base]);
    const generate = ['delta', 'generate', '--repo', repo, '--to', 'bench', '--sign-key', key];
    await runProgram(pinectl(...generate));
    const [from = '', to = ''] = machine.commits;
    const delta = statSync(join(repo, 'pine/deltas', to, `${from}.delta`)).size;
    const server = await CountingServer.start(repo);
    machine.follow(server.url);
    const [node, ...upgrade] = pinectl('upgrade', ...machine.options);
    const jobs: Job[] = [
      {
        name: 'pinectl upgrade over HTTP',
        async prepare() {
          rmSync(state, { recursive: true, force: true });
          mkdirSync(state);
          await runProgram(['cp', '--sparse=never', base, disk]);
          await runProgram(['sync', disk]);
          await forget(disk);
          server.reset();
          group.reset();
        },
        command: () => group.inside(asOnMachine(node, upgrade)),
        bytes: () => ({ 'in the group': group.most, fetched: server.sent }),
      },
      {
        name: 'cat image > slot; sync',
        async prepare() {
          for (const file of [image, slot]) await forget(file);
          group.reset();
        },
        command: () => group.inside(['sh', '-c', 'cat "$0" >"$1"; sync "$1"', image, slot]),
        bytes: () => ({ 'in the group': group.most }),
      },
    ];
    try {
      return {
        what: `a whole upgrade by the delta of ${pair.what}, in 64 MB without swap, page cache counted: ${Math.round(statSync(image).size / 1e6)} MB by ${Math.round(delta / 1e3)} kB`,
        contestants: await compare(jobs, runs),
        notes: [
          'pinectl fetches the delta, checks it, writes the slot, reads it back (S2), merges /etc, and chooses the slot for the next boot',
          'fetched: everything that was asked for, without the heads of responses; the server is on loopback, in another group',
          'the text of Node.js is in the page cache, charged to another group',
        ],
      };
    } finally {
      server.stop();
    }
  } finally {
    group.remove();
  }
}
