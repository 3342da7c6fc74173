import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { walkSource } from '../../src/build/source-node.ts';
import { openSources } from '../../src/build/sources/open-sources.ts';
import { Repository } from '../../src/repo/repository.ts';
import { quick } from '../repo/support/quick.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { alpineFolder, missing } from '../support/requirements.ts';
import { tarOf } from './support/tar-of.ts';

const folder = temporaryFolder();
const repository = await Repository.init(join(folder, 'repo'), quick);
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keys = join(folder, 'keys');
mkdirSync(keys);
writeFileSync(join(keys, 'test.rsa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));

/** Method 8, no flags: what node:zlib writes. */
const gzipMagic = Buffer.from([0x1f, 0x8b, 0x08, 0x00]);

interface Parts {
  readonly signer?: string;
  readonly digest?: string;
  readonly information?: string;
  readonly data?: Buffer;
  readonly dataHash?: string;
}

/** A package as abuild makes it: three gzip members, the first two without an end of their tars. */
function apk(parts: Parts = {}): Buffer {
  const files = tarOf([
    { name: 'usr/', type: '5', mode: 0o755 },
    { name: 'usr/tool', content: 'tool', mode: 0o755 },
  ]);
  const { signer = '.SIGN.RSA.test.rsa.pub', digest = 'sha1', data = gzipSync(files) } = parts;
  const { dataHash = createHash('sha256').update(data).digest('hex') } = parts;
  const { information = `pkgname = tool\npkgver = 1.0-r0\ndatahash = ${dataHash}\n` } = parts;
  const controlFiles = [
    { name: '.PKGINFO', content: information },
    { name: '.post-install', content: '#!/bin/sh\n', mode: 0o755 },
    { name: '.post-deinstall', content: '#!/bin/sh\n', mode: 0o755 },
  ];
  const control = gzipSync(tarOf(controlFiles, Buffer.of()));
  const content = sign(digest, control, privateKey);
  return Buffer.concat([gzipSync(tarOf([{ name: signer, content }], Buffer.of())), control, data]);
}

const open = (bytes: Buffer, apkKeys: string = keys) => {
  writeFileSync(join(folder, 'x.apk'), bytes);
  return openSources(repository, [{ kind: 'apk', name: join(folder, 'x.apk') }], { apkKeys });
};

describe('packages of Alpine', () => {
  test('are laid over a tree once signature and hash are right; scripts are named', async () => {
    for (const [type, digest] of [
      ['RSA', 'sha1'],
      ['RSA256', 'sha256'],
    ] as const) {
      const opened = await open(apk({ signer: `.SIGN.${type}.test.rsa.pub`, digest }));
      expect((await opened.tree.readFile('/usr/tool', 10)).toString()).toBe('tool');
      expect(opened.notes).toEqual(['tool-1.0-r0 has scripts that did not run: .post-install']);
      opened.close();
    }
  });

  test('are refused when anything was altered', async () => {
    const whole = apk();
    const members = [0, whole.indexOf(gzipMagic, 1), whole.lastIndexOf(gzipMagic)];
    const altered = (at: number) => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      return bytes;
    };
    // The time in a gzip header is not looked at by any unpacker, but it is signed.
    await codeOfAsync(() => open(altered((members[1] ?? 0) + 4)), 'TRUST_APK_SIGNATURE');
    await codeOfAsync(() => open(altered((members[2] ?? 0) + 4)), 'CORRUPT_APK');
    await codeOfAsync(() => open(altered(whole.length - 1)), 'CORRUPT_APK');
    await codeOfAsync(() => open(whole.subarray(0, -1)), 'CORRUPT_APK');
    await codeOfAsync(() => open(Buffer.concat([whole, Buffer.of(0)])), 'CORRUPT_APK');
    await codeOfAsync(() => open(apk({ dataHash: '00'.repeat(32) })), 'CORRUPT_APK');
    await codeOfAsync(() => open(apk({ information: 'pkgname = x\n' })), 'CORRUPT_APK');
    await codeOfAsync(() => open(gzipSync(tarOf([{ name: 'a' }]))), 'CORRUPT_APK');
    await codeOfAsync(() => open(Buffer.from('ADB and more')), 'CORRUPT_APK');
    // Signed by the right key with the other digest.
    await codeOfAsync(() => open(apk({ digest: 'sha256' })), 'TRUST_APK_SIGNATURE');
  });

  test('are refused without a key that is trusted', async () => {
    await codeOfAsync(() => open(apk({ signer: '.SIGN.RSA.other.rsa.pub' })), 'TRUST_APK_KEY');
    await codeOfAsync(() => open(apk({ signer: '.SIGN.DSA.test.rsa.pub' })), 'TRUST_APK_KEY');
    // A name must not lead out of the folder of keys.
    writeFileSync(join(folder, 'outside.pub'), readFileSync(join(keys, 'test.rsa.pub')));
    await codeOfAsync(() => open(apk({ signer: '.SIGN.RSA.../outside.pub' })), 'TRUST_APK_KEY');
    await codeOfAsync(() => open(apk(), join(folder, 'none')), 'TRUST_APK_KEY');
    writeFileSync(join(keys, 'broken.pub'), 'no key');
    await codeOfAsync(() => open(apk({ signer: '.SIGN.RSA.broken.pub' })), 'INPUT_APK_KEY');
    const source = { kind: 'apk', name: join(folder, 'x.apk') } as const;
    await codeOfAsync(() => openSources(repository, [source], {}), 'USAGE_COMMAND_LINE');
    const gone = { kind: 'apk', name: join(folder, 'gone.apk') } as const;
    await codeOfAsync(() => openSources(repository, [gone], { apkKeys: keys }), 'NOT_FOUND_FILE');
  });

  test('names in the files lead nowhere else', async () => {
    const data = gzipSync(tarOf([{ name: '../x', content: 'x' }]));
    await codeOfAsync(() => open(apk({ data })), 'INPUT_TAR_ENTRY');
  });
});

describe.skipIf(missing('alpine') !== undefined)("Alpine's own packages", () => {
  test('have the files that tar unpacks, and signatures by its keys', async () => {
    const root = join(alpineFolder, 'alpine-minirootfs-3.19.4-x86_64.tar.gz');
    execFileSync('tar', ['-C', folder, '-xzf', root, './etc/apk/keys']);
    const apkKeys = join(folder, 'etc/apk/keys');
    for (const name of ['busybox-1.36.1-r15', 'openrc-0.52.1-r2', 'alpine-baselayout-3.4.3-r2']) {
      const path = join(alpineFolder, 'apks/x86_64', `${name}.apk`);
      const source = { kind: 'apk', name: path } as const;
      const { tree, notes, close } = await openSources(repository, [source], { apkKeys });
      close();
      expect(notes.join()).toContain(`${name} has scripts that did not run: `);
      const listed = execFileSync('tar', ['-tzf', path], { encoding: 'utf8', stdio: 'pipe' }).split(
        '\n',
      );
      const files = listed.filter(
        (each) => each !== '' && !/^\.[A-Z]|^\.(pre|post|trig)/.test(each),
      );
      const found = new Set([...walkSource(tree.root)].map(([each]) => each));
      expect(files.length).toBeGreaterThan(5);
      for (const each of files) expect(found).toContain(`/${each.replace(/\/$/, '')}`);
    }
  });
});
