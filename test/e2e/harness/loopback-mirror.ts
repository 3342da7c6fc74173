import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import {
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { run, sharedAlpine } from '../../../scripts/root/programs.ts';

/** A folder that looks as Alpine's mirror does, made of the real packages beside the project. */
export interface LoopbackMirror {
  readonly folder: string;
  readonly branch: string;
  /** The folder of the public key that signs the index: these packages have no index of Alpine's. */
  readonly keys: string;
}

const keyName = 'pine-test.rsa.pub';

/** Lays out releases, packages and signed indexes under `folder`. Needs root (chroot). */
export async function makeLoopbackMirror(folder: string): Promise<LoopbackMirror> {
  const branch = 'v3.19';
  const keys = join(folder, 'keys');
  const releases = join(folder, branch, 'releases/x86_64');
  for (const path of [keys, releases]) mkdirSync(path, { recursive: true });
  const name = 'alpine-minirootfs-3.19.4-x86_64.tar.gz';
  const archive = readFileSync(join(sharedAlpine, name));
  writeFileSync(join(releases, name), archive);
  const hash = createHash('sha256').update(archive).digest('hex');
  writeFileSync(join(releases, `${name}.sha256`), `${hash}  ${name}\n`);
  writeFileSync(join(releases, 'latest-releases.yaml'), `---\n-\n  file: ${name}\n`);

  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(keys, keyName), publicKey.export({ type: 'spki', format: 'pem' }));
  const tool = join(folder, 'tool');
  mkdirSync(tool);
  await run('tar', ['-xzf', join(releases, name), '-C', tool]);
  for (const [repository, pattern] of [
    ['main', '*.apk'],
    ['community', 'alpine-base-*.apk'],
  ] as const) {
    const target = join(folder, branch, repository, 'x86_64');
    const inTool = join(tool, repository);
    mkdirSync(target, { recursive: true });
    mkdirSync(inTool);
    const packages = globSync(pattern, { cwd: join(sharedAlpine, 'apks/x86_64') });
    for (const file of packages) {
      copyFileSync(join(sharedAlpine, 'apks/x86_64', file), join(inTool, file));
      symlinkSync(join(sharedAlpine, 'apks/x86_64', file), join(target, file));
    }
    // What `apk index` can't check by a key that it has is named, but does not stop it.
    await run('chroot', [
      ...[tool, '/sbin/apk', 'index', '--quiet', '--allow-untrusted', '--rewrite-arch', 'x86_64'],
      ...['-o', `/${repository}.tar.gz`, ...packages.map((file) => `/${repository}/${file}`)],
    ]);
    const index = readFileSync(join(tool, `${repository}.tar.gz`));
    const signature = sign('sha1', index, privateKey);
    writeFileSync(
      join(target, 'APKINDEX.tar.gz'),
      Buffer.concat([gzipSync(tarMember(`.SIGN.RSA.${keyName}`, signature)), index]),
    );
  }
  rmSync(tool, { recursive: true });
  return { folder, branch, keys };
}

/** One member of a tar archive without the archive's end: apk reads the next gzip member on. */
function tarMember(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const field = (offset: number, text: string) => header.write(text, offset, 'latin1');
  const octal = (offset: number, width: number, value: number) =>
    field(offset, `${value.toString(8).padStart(width - 1, '0')}\0`);
  field(0, name);
  octal(100, 8, 0o644);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, content.length);
  octal(136, 12, 0);
  field(148, '        ');
  field(156, '0');
  field(257, 'ustar\x0000');
  octal(
    148,
    7,
    header.reduce((sum, byte) => sum + byte, 0),
  );
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
