import { createHash, randomInt } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { layOutImage } from '../../src/image/layout.ts';
import { decodeTrailer, encodeTrailer } from '../../src/image/trailer.ts';
import { encodePlan, openPlan } from '../../src/plan/plan-file.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { readFileObject } from '../../src/remote/file-object.ts';
import { decodeCommit, encodeCommit } from '../../src/repo/commit-object.ts';
import {
  decodeDetachedMetadata,
  encodeDetachedMetadata,
} from '../../src/repo/detached-metadata.ts';
import {
  decodeFileHeader,
  encodeFileHeader,
  fileObjectHash,
  headerLength,
  headerPrefix,
} from '../../src/repo/file-header.ts';
import {
  decodeDirectoryMetadata,
  decodeDirectoryTree,
  encodeDirectoryMetadata,
  encodeDirectoryTree,
} from '../../src/repo/metadata-objects.ts';
import { checkConfig, initialConfig } from '../../src/repo/repository-config.ts';
import { decodeSummary, encodeSummary } from '../../src/repo/summary.ts';
import { TreeMaker } from '../support/make-tree.ts';
import { fuzzDecoder } from './fuzz-decoder.ts';

/** PINE_FUZZ_SEED=… repeats a run. */
const seed = Number(process.env.PINE_FUZZ_SEED ?? randomInt(2 ** 31));

const where = 'a mutated object';
const sum = (text: string) => createHash('sha256').update(text).digest('hex');
const xattrs = [
  { name: 'security.capability', value: Buffer.alloc(20, 1) },
  { name: 'user.text', value: Buffer.from('value') },
];
const owner = { uid: 70_000, gid: 4, xattrs };

const commits = ['', 'x'.repeat(300)].map((body) =>
  encodeCommit({
    metadata: [
      ['version', { type: 's', value: '1' }],
      ['pine.image.1', { type: '(tay)', value: [4096n, Buffer.alloc(32, 7)] }],
      ['ostree.ref-binding', { type: 'as', value: ['a/b', 'c'] }],
      ['deep', { type: 'a{sv}', value: [['v', { type: 'mai', value: [1, 2, 3] }]] }],
    ],
    parent: body === '' ? undefined : sum('parent'),
    related: [],
    subject: 'Subject',
    body,
    timestamp: 1_700_000_000,
    rootTree: sum('tree'),
    rootMeta: sum('meta'),
  }),
);
const trees = [0, 1, 40].map((entries) =>
  encodeDirectoryTree({
    files: Array.from({ length: entries }, (_, n) => ({
      name: `file ${n} 😀`,
      checksum: sum(`${n}`),
    })),
    directories: Array.from({ length: entries }, (_, n) => ({
      name: `d${n}`,
      tree: sum(`t${n}`),
      meta: sum(`m${n}`),
    })),
  }),
);
const detached = encodeDetachedMetadata([
  ['ostree.sign.ed25519', { type: 'aay', value: [Buffer.alloc(64, 3), Buffer.alloc(64, 4)] }],
]);
const content = Buffer.from('some content, '.repeat(200));
const fileHeader = { mode: 0o104755, target: '', size: content.length, ...owner };
const linkHeader = { mode: 0o120777, target: '../usr/bin', size: 0, ...owner };
const fileObject = Buffer.concat([encodeFileHeader(fileHeader), deflateRawSync(content)]);
const fileChecksum = fileObjectHash(fileHeader).update(content).digest('hex');
const summaries = [0, 5].map((count) =>
  encodeSummary(
    new Map(
      Array.from({ length: count }, (_, n) => [
        `ref/${n}`,
        { commit: sum(`${n}`), size: 200, timestamp: 5 },
      ]),
    ),
    1_700_000_000,
  ),
);

function plan(): Buffer {
  const make = new TreeMaker();
  const files = Array.from(
    { length: 30 },
    (_, n) => [`f${n}`, make.file(`${n}`.repeat(n * 50))] as const,
  );
  return Buffer.concat([...encodePlan(layOutImage(make.directory(Object.fromEntries(files)), 7))]);
}

const small = commits[0] ?? Buffer.of();
const trailer = encodeTrailer({ imageSize: 4096, commit: small, detachedMetadata: detached });

/** Each decoder with what it reads when all is well, and how many mutations it is given. */
const decoders: readonly [
  name: string,
  rounds: number,
  samples: readonly Buffer[],
  decode: (bytes: Buffer) => unknown,
][] = [
  ['commit', 20_000, commits, (bytes) => decodeCommit(bytes, where)],
  ['dirtree', 15_000, trees, (bytes) => decodeDirectoryTree(bytes, where)],
  [
    'dirmeta',
    20_000,
    [encodeDirectoryMetadata({ mode: 0o041777, ...owner })],
    (bytes) => decodeDirectoryMetadata(bytes, where),
  ],
  ['detached metadata', 15_000, [detached], (bytes) => decodeDetachedMetadata(bytes, where)],
  [
    'file header',
    15_000,
    [encodeFileHeader(fileHeader), encodeFileHeader(linkHeader)],
    (bytes) => {
      const length = headerLength(bytes.subarray(0, headerPrefix), where);
      return decodeFileHeader(bytes.subarray(headerPrefix, headerPrefix + length), where);
    },
  ],
  ['file object', 5_000, [fileObject], readObject],
  ['summary', 10_000, summaries, (bytes) => decodeSummary(bytes, where)],
  ['config', 5_000, [Buffer.from(initialConfig)], (bytes) => checkConfig(`${bytes}`, where)],
  ['plan', 3_000, [plan()], readPlan],
  ['trailer', 1_000, [trailer], (bytes) => decodeTrailer(bytes)],
];

describe(`PINE_FUZZ_SEED=${seed}`, () => {
  test('there are at least 100,000 mutated objects', () => {
    console.info(`PINE_FUZZ_SEED=${seed}`);
    expect(decoders.reduce((total, [, rounds]) => total + rounds, 0)).toBeGreaterThan(100_000);
  });

  test.each(decoders)('%s: %i mutations: an error with a code, or a value', async (...decoder) => {
    const [name, rounds, samples, decode] = decoder;
    const refused = await fuzzDecoder({ name, seed, rounds, samples, decode });
    // The mutations do break what they are made of.
    expect(refused).toBeGreaterThan(rounds / 10);
  });
});

async function readObject(bytes: Buffer): Promise<void> {
  const stream = (async function* () {
    yield bytes;
  })();
  const object = { checksum: fileChecksum, length: content.length, where };
  let size = 0;
  for await (const piece of readFileObject(stream, object)) size += piece.length;
  // Whatever the deflated bytes are: what comes out whole is what the name says.
  expect(size).toBe(content.length);
}

async function readPlan(bytes: Buffer): Promise<void> {
  const opened = await openPlan(bytesReader(bytes));
  let size = 0;
  for await (const segment of opened.segments()) size += segment.length;
  expect(size).toBe(opened.imageSize);
}
