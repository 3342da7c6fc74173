import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type ReadTarOptions, readTar } from '../../tar/read-tar.ts';
import { changed } from '../file-content.ts';
import type { SourceTree } from '../source-tree.ts';
import { findApkMembers } from './apk-members.ts';
import { type ApkSignature, checkApkSignature } from './apk-signature.ts';
import { corruptApk } from './corrupt-apk.ts';
import type { Spool } from './spool.ts';
import { type UnpackOptions, unpackTar } from './unpack-tar.ts';
import { unpackedStream } from './unpacked-stream.ts';

/** Larger than any .PKGINFO, script or signature (S5). */
const largestFile = 4 * 1024 * 1024;
/** Their archives have no end of their own: they run into the next member. */
const openEnded: ReadTarOptions = { openEnded: true };

/** What was laid over a tree. */
export interface UnpackedApk {
  /** `NAME-VERSION`. */
  readonly package: string;
  /** Scripts that apk would have run when it installs, which did not run. */
  readonly scripts: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * Lays an Alpine package over a tree. Its signature is checked first, then the hash of its files, then
 * they are unpacked (S5).
 *
 * Throws CORRUPT_APK, TRUST_APK_SIGNATURE, TRUST_APK_KEY, INPUT_FILE_CHANGED, and as `unpackTar`.
 */
export async function unpackApk(
  tree: SourceTree,
  path: string,
  keyFolder: string,
  spool: Spool,
  options: UnpackOptions,
): Promise<UnpackedApk> {
  const { signatures, control, dataAt } = await findApkMembers(path);
  const signed = await readFiles(signatures, path);
  await checkApkSignature(control, signed.map(toSignature), keyFolder, path);
  const files = await readFiles(control, path);
  const information = files.find(([name]) => name === '.PKGINFO')?.[1].toString() ?? '';
  const [name, version, dataHash] = ['pkgname', 'pkgver', 'datahash'].map(
    (key) => new RegExp(`^${key} = (.*)$`, 'm').exec(information)?.[1],
  );
  if (name === undefined || version === undefined || dataHash === undefined) {
    throw corruptApk('.PKGINFO with pkgname, pkgver and datahash', 'not all of them', path);
  }
  const checked = await hashOf(createReadStream(path, { start: dataAt }));
  if (checked !== dataHash) throw corruptApk(`files of SHA-256 ${dataHash}`, checked, path);

  const again = createHash('sha256');
  const data = async function* () {
    for await (const piece of createReadStream(path, { start: dataAt })) {
      again.update(piece);
      yield piece;
    }
  };
  const skipped = await unpackTar(tree, unpackedStream(data(), path), spool, path, {
    ...options,
    ...openEnded,
  });
  if (again.digest('hex') !== dataHash) throw changed(path, 'other bytes than were checked');
  const scripts = files
    .map(([script]) => script)
    .filter((script) => /^\.(pre-install|post-install|trigger)$/.test(script));
  return { package: `${name}-${version}`, scripts, skipped };
}

function toSignature([name, bytes]: readonly [string, Buffer]): ApkSignature {
  return { name, bytes };
}

/** The files of one of the small members, by name. */
async function readFiles(packed: Buffer, where: string): Promise<(readonly [string, Buffer])[]> {
  const found: (readonly [string, Buffer])[] = [];
  const source = Readable.from([packed]);
  for await (const entry of readTar(unpackedStream(source, where), openEnded)) {
    if (entry.size > largestFile) {
      throw corruptApk(`files of at most ${largestFile} bytes`, `${entry.size}`, where);
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of entry.content) pieces.push(piece);
    found.push([entry.name.toString(), Buffer.concat(pieces)]);
  }
  return found;
}

async function hashOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of stream) hash.update(piece);
  return hash.digest('hex');
}
