import { createHash, generateKeyPairSync, randomInt, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { diffPackages, parseApkDatabase } from '../../src/build/apk-database.ts';
import { parseFilter } from '../../src/build/filter/rules.ts';
import { walkSource } from '../../src/build/source-node.ts';
import { SourceTree } from '../../src/build/source-tree.ts';
import { Spool } from '../../src/build/sources/spool.ts';
import { unpackApk } from '../../src/build/sources/unpack-apk.ts';
import { unpackTar } from '../../src/build/sources/unpack-tar.ts';
import { unpackedStream } from '../../src/build/sources/unpacked-stream.ts';
import { commitJson, commitText } from '../../src/cli/commit-text.ts';
import { decodeCommit, encodeCommit } from '../../src/repo/commit-object.ts';
import { readRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { decodePaxRecords, encodePaxRecords } from '../../src/tar/pax-records.ts';
import { tarOf } from '../build/support/tar-of.ts';
import { quick } from '../repo/support/quick.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { fuzzDecoder } from './fuzz-decoder.ts';
import { mutate, randomSource } from './mutate.ts';

/** PINE_FUZZ_SEED=… repeats a run. */
const seed = Number(process.env.PINE_FUZZ_SEED ?? randomInt(2 ** 31));

const folder = temporaryFolder();
const sum = (text: string) => createHash('sha256').update(text).digest('hex');

const members = [
  { name: './', type: '5', mode: 0o755 },
  { name: 'usr/lib/', type: '5' },
  { name: 'lib', type: '2', linkName: 'usr/lib' },
  { name: 'lib/file', content: 'some content', uid: 70_000 },
  { name: 'hard', type: '1', linkName: 'lib/file' },
  { name: 'dev/null', type: '3' },
  {
    name: 'x',
    content: 'abc',
    pax: { path: 'dir/😀', uid: '5', 'SCHILY.xattr.user.a': Buffer.from([0xff, 0]), size: '3' },
  },
];
const tar = tarOf(members);
const gnu = tarOf([
  { name: '././@LongLink', type: 'L', content: `${'long/'.repeat(40)}name\0` },
  { name: 'short', content: 'y' },
  { name: '././@LongLink', type: 'K', content: `${'t'.repeat(200)}\0` },
  { name: 'link', type: '2', linkName: 't' },
]);

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keys = join(folder, 'keys');
mkdirSync(keys);
writeFileSync(join(keys, 'k.rsa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));

/** The parts of a package. `alter` changes its files before they are signed: what the owner of a key could do. */
function apk(alter: (bytes: Buffer) => Buffer = (bytes) => bytes): Buffer {
  const data = gzipSync(alter(tarOf([{ name: 'usr/tool', content: 'tool', mode: 0o755 }])));
  const information = `pkgname = tool\npkgver = 1\ndatahash = ${createHash('sha256').update(data).digest('hex')}\n`;
  const control = gzipSync(tarOf([{ name: '.PKGINFO', content: information }], Buffer.of()));
  const content = sign('sha1', control, privateKey);
  const signature = tarOf([{ name: '.SIGN.RSA.k.rsa.pub', content }], Buffer.of());
  return Buffer.concat([gzipSync(signature), control, data]);
}

/** What a tree may never hold, whatever it was made of. */
function checkTree(tree: SourceTree): void {
  for (const [path] of walkSource(tree.root)) {
    const names = path.split('/').slice(1);
    const isWrong = (name: string) =>
      name === '.' || name === '..' || name.includes('\0') || Buffer.byteLength(name) > 255;
    if (path !== '/' && (names.some(isWrong) || names.includes(''))) {
      throw new Error(`a path ${JSON.stringify(path)}`);
    }
  }
}

async function unpack(bytes: Buffer): Promise<void> {
  const spool = new Spool(folder);
  try {
    const pieces = (async function* () {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    })();
    const tree = SourceTree.empty();
    await unpackTar(tree, unpackedStream(pieces, 'x.tar'), spool, 'x.tar');
    checkTree(tree);
  } finally {
    spool.close();
  }
}

async function unpackPackage(bytes: Buffer): Promise<void> {
  const path = join(folder, 'x.apk');
  writeFileSync(path, bytes);
  const spool = new Spool(folder);
  try {
    const tree = SourceTree.empty();
    await unpackApk(tree, path, keys, spool, {});
    checkTree(tree);
  } finally {
    spool.close();
  }
}

const database = Buffer.from(
  [
    'C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nS:1\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\nZ:Q1x=\n',
    'C:Q1def=\nP:busybox\nV:1.36.1-r29\nD:so:libc.musl-x86_64.so.1\nF:bin\nR:busybox\n\n',
  ].join('\n'),
);
const commit = encodeCommit({
  metadata: [
    ['version', { type: 's', value: '1' }],
    ['pine.recipe.1', { type: 'a{sv}', value: [['revision', { type: 's', value: sum('r') }]] }],
    ['deep', { type: 'a{sv}', value: [['v', { type: 'mai', value: [1, 2, 3] }]] }],
    ['numbers', { type: '(ybnqiuxtd)', value: [1, true, -1, 2, -3, 4, -5n, 6n, 0.5] }],
  ],
  parent: sum('parent'),
  related: [],
  subject: 'Subject',
  body: 'Body',
  timestamp: 1_700_000_000,
  rootTree: sum('tree'),
  rootMeta: sum('meta'),
});
const repository = await Repository.init(join(folder, 'repo'), quick);
const ref = join(repository.path, 'refs/heads/x');

async function readMutatedRef(bytes: Buffer): Promise<void> {
  writeFileSync(ref, bytes);
  expect(await readRef(repository, 'x')).toMatch(/^[0-9a-f]{64}$/);
}

const decoders: readonly [
  name: string,
  rounds: number,
  samples: readonly Buffer[],
  decode: (bytes: Buffer) => unknown,
  /** Parts of all mutations that must be refused, at least. */
  refused: number,
][] = [
  ['tar', 5_000, [tar, gnu], unpack, 0.3],
  ['packed tar', 1_500, [gzipSync(tar), zstdCompressSync(gnu)], unpack, 0.3],
  [
    'pax records',
    20_000,
    [
      encodePaxRecords([
        ['path', Buffer.from('a/b')],
        ['SCHILY.xattr.user.x', Buffer.of(1, 0, 61)],
      ]),
    ],
    (bytes) => decodePaxRecords(bytes, 0),
    0.3,
  ],
  ['package', 1_500, [apk()], unpackPackage, 0.8],
  [
    'files of a package, rightly signed',
    1_000,
    [Buffer.from('seed of a mutation')],
    (bytes) => {
      const isSample = bytes.equals(Buffer.from('seed of a mutation'));
      const random = randomSource(bytes.reduce((all, byte) => (all * 31 + byte) % 2 ** 31, 7));
      return unpackPackage(apk(isSample ? undefined : (data) => mutate([data, tar], random)));
    },
    0.1,
  ],
  [
    "apk's database",
    15_000,
    [database],
    (bytes) => {
      const packages = parseApkDatabase(bytes.toString());
      const changes = diffPackages(packages, parseApkDatabase(database.toString()));
      for (const { before, after } of changes) if (before === after) throw new Error('no change');
    },
    0,
  ],
  [
    'filter',
    10_000,
    [Buffer.from('drop /**\nkeep *.[ch]\nmode 0640 /etc/**\nowner 1:2 a/?/\n')],
    (bytes) => parseFilter(bytes.toString(), 'f'),
    0.2,
  ],
  ['ref', 3_000, [Buffer.from(`${sum('commit')}\n`)], readMutatedRef, 0.5],
  [
    'what is printed of a commit',
    20_000,
    [commit],
    (bytes) => {
      const decoded = decodeCommit(bytes, 'x');
      return commitText(sum('x'), decoded) + JSON.stringify(commitJson(sum('x'), decoded));
    },
    0.1,
  ],
];

describe(`PINE_FUZZ_SEED=${seed}`, () => {
  test.each(decoders)(
    '%s: %i mutations: an error with a code, or a value',
    async (...decoder) => {
      const [name, rounds, samples, decode, least] = decoder;
      console.info(`PINE_FUZZ_SEED=${seed}`);
      const refused = await fuzzDecoder({ name, seed, rounds, samples, decode });
      expect(refused).toBeGreaterThanOrEqual(rounds * least);
    },
    300_000,
  );
});
