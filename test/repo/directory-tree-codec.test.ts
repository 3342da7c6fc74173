import { createHash, randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { PineError } from '../../src/error.ts';
import { readDirectoryTree } from '../../src/repo/directory-tree-codec.ts';
import { bytes, string } from '../../src/repo/gvariant/basic.ts';
import { decode } from '../../src/repo/gvariant/codec.ts';
import { array, tuple } from '../../src/repo/gvariant/containers.ts';
import { mutate, randomSource } from '../fuzz/mutate.ts';

const seed = Number(process.env.PINE_FUZZ_SEED ?? randomInt(2 ** 31));
const rounds = 40_000;

/** The general reader of GVariants: it is what this one must agree with. */
const general = tuple(array(tuple(string, bytes)), array(tuple(string, bytes, bytes)));
const sum = (text: string) => createHash('sha256').update(text).digest();

type Entry = readonly [string, ...string[]];

function read(object: Buffer): { files: Entry[]; directories: Entry[] } | string {
  const [files, directories]: [Entry[], Entry[]] = [[], []];
  return told(() => {
    readDirectoryTree(object, 'x', {
      file: (name, checksums) => files.push([name, ...checksums]),
      directory: (name, checksums) => directories.push([name, ...checksums]),
    });
    return { files, directories };
  });
}

function readGenerally(object: Buffer): { files: Entry[]; directories: Entry[] } | string {
  return told(() => {
    const [files, directories] = decode(general, object, 'x');
    const all = [...files, ...directories].flatMap(([, ...sums]) => sums);
    if (all.some(({ length }) => length !== 32)) return 'CORRUPT_OBJECT';
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    return {
      files: files.map(([name, checksum]) => [name, hex(checksum)] as const),
      directories: directories.map(([name, ...sums]) => [name, ...sums.map(hex)] as const),
    };
  });
}

function told<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof PineError) return error.code;
    throw error;
  }
}

function treeOf(files: number, directories: number, name: number): Buffer {
  const names = (count: number) =>
    Array.from({ length: count }, (_, at) => `${at}`.padEnd(name, 'é'));
  return general.encode([
    names(files).map((each) => [each, sum(each)] as const),
    names(directories).map((each) => [each, sum(each), sum(`${each}m`)] as const),
  ]);
}

test('trees of every width of offsets are read as the general reader reads them', () => {
  for (const files of [0, 1, 2, 3, 5, 6, 7, 300, 1700, 1800, 2000]) {
    for (const directories of [0, 1, 2, 3, 900]) {
      for (const name of [0, 1, 100, 127]) {
        const object = treeOf(files, directories, name);
        const found = read(object);
        expect(found).toEqual(readGenerally(object));
        expect(found).toMatchObject({ files: { length: files } });
      }
    }
  }
});

test('S9: more than a million entries in a folder are refused before one of them is read', () => {
  const [count, body] = [1_000_001, 100_000];
  const object = Buffer.alloc(body + 4 * count + 4);
  object.writeUInt32LE(body, body + 4 * (count - 1));
  object.writeUInt32LE(body + 4 * count, body + 4 * count);
  expect(read(object)).toBe('CORRUPT_TREE');
  // One fewer is looked at, and is no tree for another reason.
  object.copyWithin(body, body + 4);
  const fewer = object.subarray(0, -4);
  fewer.writeUInt32LE(body + 4 * (count - 1), fewer.length - 4);
  expect(read(fewer)).toBe('CORRUPT_GVARIANT');
});

test(`${rounds} mutated ones are refused when the general reader refuses them (PINE_FUZZ_SEED=${seed})`, () => {
  const random = randomSource(seed);
  const samples = [
    treeOf(0, 0, 0),
    treeOf(1, 0, 3),
    treeOf(2, 1, 90),
    treeOf(0, 2, 2),
    treeOf(7, 0, 1),
  ];
  let accepted = 0;
  for (let round = 0; round < rounds; round += 1) {
    const object = mutate(samples, random);
    const [found, expected] = [read(object), readGenerally(object)];
    if (typeof expected !== 'string') accepted += 1;
    // Which of two things that are wrong is told first may differ.
    if (typeof found === 'string' && typeof expected === 'string') continue;
    expect(found, `seed ${seed}, round ${round}: ${object.toString('hex')}`).toEqual(expected);
  }
  expect(accepted).toBeGreaterThan(100);
});
