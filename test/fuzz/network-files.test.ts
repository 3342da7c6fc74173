import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PineError } from '../../src/error.ts';
import { writeInterfaces } from '../../src/install/hijack/network/interfaces-file.ts';
import { readNetwork } from '../../src/install/hijack/network/read-network.ts';
import { recordedHost } from '../install/hijack/support/recorded-host.ts';
import { randomSource } from './mutate.ts';

const fixtures = new URL('../install/hijack/fixtures/', import.meta.url).pathname;
const seed = Number(process.env.PINE_FUZZ_SEED ?? Date.now() % 1_000_000);

/** Cuts, repeats, swaps and replaces pieces of a text. */
function alter(text: string, random: (below: number) => number): string {
  const words = text.split(/(\s+|[:/,=[\]{}"])/);
  for (let count = 1 + random(4); count > 0; count -= 1) {
    const [at, other] = [random(words.length), random(words.length)];
    const odd = ['', '-1', '999999999999', '\0', '[', '*', 'null', '{}', '::', 'via', '\\'];
    words[at] = random(2) === 0 ? (odd[random(odd.length)] ?? '') : (words[other] ?? '');
  }
  return words.join('');
}

test(`network files that were altered are read or refused in words (PINE_FUZZ_SEED=${seed})`, async () => {
  const random = randomSource(seed);
  const machines = readdirSync(fixtures).filter((name) => name !== 'debian-vps');
  for (let round = 0; round < 1500; round += 1) {
    const name = machines[random(machines.length)] ?? '';
    const folder = join(fixtures, name);
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => !path.startsWith('alpine/') && statSync(join(folder, path)).isFile())
      .sort();
    const path = paths[random(paths.length)] ?? '';
    const text = alter(readFileSync(join(folder, path), 'utf8'), random);
    const command = /^commands\/(.*)$/.exec(path)?.[1];
    const changes =
      command === undefined ? { files: { [`/${path}`]: text } } : { commands: { [command]: text } };
    try {
      const { network } = await readNetwork(recordedHost(name, changes));
      // Nothing of a file becomes a line of its own in what a shell will read.
      expect(writeInterfaces(network)).toMatch(
        /^(auto \S+\n|iface \S+( inet loopback)?\n|\t[^\n]+\n|\n)+$/,
      );
    } catch (error) {
      if (!(error instanceof PineError))
        throw new Error(`${name}/${path}: ${text}`, { cause: error });
    }
  }
}, 60_000);
