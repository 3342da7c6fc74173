import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commitTree } from '../../../../src/build/commit-tree.ts';
import { scanFolder } from '../../../../src/build/scan.ts';
import { PineError } from '../../../../src/error.ts';
import { fetchImage } from '../../../../src/install/hijack/take-over/fetch-image.ts';
import { ImageFiles } from '../../../../src/install/hijack/take-over/image-files.ts';
import { openSource } from '../../../../src/remote/open-source.ts';
import { RemoteRepository } from '../../../../src/remote/remote-repository.ts';
import { Repository } from '../../../../src/repo/repository.ts';
import { generateKeyPair } from '../../../../src/trust/generate.ts';
import type { PublicKey } from '../../../../src/trust/keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'pine-fetch-'));
let key: PublicKey;
let other: PublicKey;
let plan = '';

beforeAll(async () => {
  const repository = await Repository.init(join(folder, 'repo'));
  const root = join(folder, 'root');
  const files = {
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    'etc/ssh/sshd_config': 'UsePAM no\n',
    'bin/sh': 'program',
    'boot/vmlinuz': 'kernel'.repeat(1000),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const pair = await generateKeyPair('release');
  [key, other] = [pair.publicKey, (await generateKeyPair('other')).publicKey];
  const { tree } = await scanFolder(root);
  const { commit } = await commitTree(repository, tree, {
    ...{ ref: 'test', timestamp: 1_750_000_000, image: true, signKeys: [pair.secretKey] },
    metadata: [['pine.boot-compat', { type: 'u', value: 1 }]],
  });
  plan = repository.objectFile(commit, 'plan');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function fetch(keys: readonly PublicKey[], path: string) {
  const remote = new RemoteRepository(await openSource(join(folder, 'repo')));
  try {
    return await fetchImage({ remote, ref: 'test', keys }, path);
  } finally {
    await remote.close();
  }
}

test('an image is fetched whole, and its files can be read out of it', async () => {
  const path = join(folder, 'slot');
  const { image, signedBy } = await fetch([key], path);
  expect(readFileSync(path).length).toBe(image.size);
  expect(signedBy).toBe(key.name);
  const files = await ImageFiles.open(path, image.size);
  const etc = await files.readEtc();
  expect(etc.passwd).toBe('root:x:0:0::/root:/bin/sh\n');
  expect(etc).toMatchObject({ group: '', pinectlToml: '', sshdConfig: 'UsePAM no\n' });
  expect([...etc.shells]).toEqual(['/bin/sh']);
  const kernel = join(folder, 'kernel');
  await files.append('/boot/vmlinuz', kernel);
  await expect(files.append('/boot/initramfs', kernel)).rejects.toMatchObject({
    code: 'NOT_FOUND_TREE_FILE',
  });
  await files.close();
  expect(readFileSync(kernel, 'utf8')).toBe('kernel'.repeat(1000));
  expect(readdirSync(folder).sort()).toEqual(['kernel', 'repo', 'root', 'slot']);
});

// S5: nothing that the commit names is asked for before its signature is right.
test('another key is refused before anything is written, and a plan that is another as well', async () => {
  const path = join(folder, 'refused');
  const refusal = (keys: readonly PublicKey[]) =>
    fetch(keys, path).then(
      () => 'taken',
      (error: unknown) => (error instanceof PineError ? error.code : String(error)),
    );
  expect(await refusal([other])).toBe('TRUST_UNKNOWN_KEY');
  const bytes = readFileSync(plan);
  const wrong = [
    [bytes.subarray(1), 'CORRUPT_PLAN'],
    [Buffer.concat([bytes, bytes]), 'CORRUPT_TOO_LARGE'],
    [Buffer.alloc(bytes.length), 'CORRUPT_PLAN'],
  ] as const;
  for (const [content, code] of wrong) {
    writeFileSync(plan, content);
    expect(await refusal([key])).toBe(code);
  }
  writeFileSync(plan, bytes);
  expect(readdirSync(folder)).not.toContain('refused');
});
