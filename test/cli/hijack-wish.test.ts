import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readWish } from '../../src/cli/hijack-wish.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';

const folder = temporaryFolder();

test('without options there is no commit, and the layouts that ship are to choose from', async () => {
  const { commit, layouts, disk, kexec } = await readWish({});
  expect(layouts.map(({ name }) => name)).toEqual(['vm.cfg', 'vm-small.cfg']);
  expect({ commit, disk, kexec }).toEqual({ commit: undefined, disk: undefined, kexec: false });
});

test('remote, ref and keys belong together, and the keys are kept as they are written', async () => {
  const { publicKey } = await generateKeyPair('release');
  const key = join(folder, 'release.pub');
  const text = `# ours\n${Buffer.from(publicKey.bytes).toString('base64')}\n`;
  writeFileSync(key, text);
  const all = { remote: 'https://example.org/repo', ref: 'web', key: [key] };
  const { commit } = await readWish(all);
  expect(commit).toMatchObject({ remote: all.remote, ref: 'web', keyTexts: [text] });
  expect(commit?.keys.map(({ bytes }) => Buffer.from(bytes))).toEqual([
    Buffer.from(publicKey.bytes),
  ]);
  for (const name of ['remote', 'ref', 'key']) {
    await codeOfAsync(() => readWish({ ...all, [name]: undefined }), 'USAGE_COMMAND_LINE');
  }
});

test('one layout of your own takes the place of those that ship', async () => {
  const layout = join(folder, 'own.cfg');
  writeFileSync(layout, 'nonsense\n');
  await codeOfAsync(() => readWish({ layout }), 'INPUT_LAYOUT');
  await codeOfAsync(() => readWish({ layout: '/none' }), 'NOT_FOUND_FILE');
});
