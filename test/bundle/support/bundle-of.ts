import { openBundle } from '../../../src/bundle/bundle-file.ts';
import { BundleRemote } from '../../../src/bundle/bundle-remote.ts';
import { bytesReader } from '../../../src/ports/positioned-reader.ts';
import { encodeEntry, fillUp, tarEnd } from '../../../src/tar/write-tar.ts';

/** A bundle with these files, whatever they are, behind a mark. */
export function bundleOf(
  files: Iterable<readonly [string, Uint8Array]>,
  mark = 'pine-bundle 1\n',
): Buffer {
  const nobody = { target: '', mode: 0o644, uid: 0, gid: 0, time: 0, xattrs: [] };
  const members = [['pine-bundle', Buffer.from(mark)] as const, ...files];
  return Buffer.concat([
    ...members.flatMap(([name, bytes]) => [
      encodeEntry({ ...nobody, name, type: '0', size: bytes.length }),
      bytes,
      fillUp(bytes.length),
    ]),
    tarEnd,
  ]);
}

/** Opens a bundle in memory. */
export async function openBundleBytes(bytes: Uint8Array) {
  const bundle = await openBundle(bytesReader(bytes), 'test.bundle');
  return { bundle, remote: new BundleRemote(bundle, async () => {}) };
}
