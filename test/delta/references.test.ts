import { expect, test } from 'vitest';
import { References } from '../../src/delta/encode/references.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';

const paths = [
  '/lib/modules/6.1.0-53/fs/nfsv3.ko',
  '/lib/modules/6.1.0-53/fs/nfsv4.ko',
  '/lib/libz.so.1.2',
  '/usr/lib/libz.so.1.2',
  '/usr/share/old-name',
];

test.each([
  ['/lib/libz.so.1.2', '/lib/libz.so.1.2', 'the same path'],
  ['/lib/modules/6.1.0-56/fs/nfsv4.ko', paths[1], 'the same name where folders have other numbers'],
  ['/usr/lib/libz.so.1.3', '/usr/lib/libz.so.1.2', 'the same path with other numbers'],
  ['/opt/old-name', '/usr/share/old-name', 'the same name elsewhere'],
  ['/usr/share/new-name', undefined, 'nothing'],
])('%s is made of %s: %s', (path, expected) => {
  const files = paths.map((each, index) => ({ path: each, offset: index, size: 1 }));
  const references = new References(files, bytesReader(new Uint8Array(paths.length)));
  expect(references.similar({ path, offset: 0, size: 1 })?.path).toBe(expected);
});
