import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleModules, writeModules } from '../../scripts/build/bundle.ts';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { lackOfLimits, runWithin } from '../cli/etc/support/memory-limit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { deltaBytes, makeImage } from './support/image-pair.ts';
import { generator } from './support/small-elf.ts';
import { makeKernel } from './support/small-kernel.ts';

const project = new URL('../..', import.meta.url).pathname;
const limit = 64 << 20;

/** Content of three blocks: text, and noise that does not compress. */
function content(changed: string): Buffer {
  const random = generator(8);
  const noise = Buffer.from(Array.from({ length: 100_000 }, () => random() & 255));
  const parts: Buffer[] = [];
  for (let part = 0; part < 60; part++) {
    const text = `part ${part} of it, ${part % 20 === 3 ? changed : 'as it was'}; `;
    parts.push(noise.subarray(17 * part), Buffer.alloc(200_000, text));
  }
  return Buffer.concat(parts);
}

const lacking = lackOfLimits();
test.skipIf(lacking !== undefined)(
  'S9: a kernel is decompressed, patched and compressed again in 64 MB, page cache counted',
  async () => {
    const folder = temporaryFolder();
    const path = (name: string) => join(folder, name);
    const [before, after] = [content('before'), content('after that')];
    expect(before.length).toBeGreaterThan(16 << 20);
    const from = await makeImage({ vmlinuz: makeKernel(before) }, 'a');
    const to = await makeImage({ vmlinuz: makeKernel(after) }, 'b');
    const { delta } = await encodeDelta(from, to);
    writeFileSync(path('old'), from.bytes);
    writeFileSync(path('new.delta'), deltaBytes(delta));
    writeModules(folder, await bundleModules(project));
    const script = readFileSync(join(project, 'overlay/usr/bin/pinectl'), 'utf8');
    const settings = /^exec node ((?:--\S+ )+)/m.exec(script)?.[1]?.trim().split(' ') ?? [];
    const { status, err, anonymous } = runWithin(limit, process.execPath, [
      ...settings,
      path('pinectl.mjs'),
      ...['delta', 'apply', path('new.delta'), '--unsigned'],
      ...['--from', path('old'), '-o', path('new')],
    ]);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(readFileSync(path('new')).equals(to.bytes)).toBe(true);
    expect(anonymous).toBeLessThan(limit - (16 << 20));
  },
  120_000,
);
