import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { remakePlan } from '../../src/build/remake-plan.ts';
import { checkOut } from '../../src/repo/checkout.ts';
import { encodeCommit } from '../../src/repo/commit-object.ts';
import { encodeFileHeader, fileObjectHash } from '../../src/repo/file-header.ts';
import { checkFileObject, objectsOf, readFileContent } from '../../src/repo/file-object.ts';
import { findInCommit } from '../../src/repo/find-in-commit.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { bytes, string } from '../../src/repo/gvariant/basic.ts';
import { array, tuple } from '../../src/repo/gvariant/containers.ts';
import { encodeDirectoryMetadata } from '../../src/repo/metadata-objects.ts';
import type { ObjectKind } from '../../src/repo/object-name.ts';
import { readTree } from '../../src/repo/read-tree.ts';
import { listRefs } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { smallRepository, smallTree, timestamp } from './support/small-commit.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const folder = temporaryFolder();
const intact = join(folder, 'intact');
let commit = '';
let count = 0;

beforeAll(async () => {
  ({ commit } = await smallRepository(intact));
});

/** A copy of the repository that may be damaged. */
async function copy(): Promise<Repository> {
  const path = join(folder, `copy-${count++}`);
  cpSync(intact, path, { recursive: true });
  return Repository.open(path);
}

async function checksumOf(repository: Repository, path: string): Promise<string> {
  const found = await findInCommit(repository, commit, path);
  if (found?.kind !== 'file') throw new Error(`${path} is a file`);
  return found.checksum;
}

/** Reads an object; what fsck does instead of reading it comes to the same end. */
async function readAll(repository: Repository, checksum: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of readFileContent(repository, checksum)) pieces.push(piece);
  } catch (error) {
    await expect(checkFileObject(repository, checksum)).rejects.toEqual(error);
    throw error;
  }
  await checkFileObject(repository, checksum);
  return Buffer.concat(pieces);
}

describe('a damaged object', () => {
  const everyKind = async (repository: Repository): Promise<[ObjectKind, string][]> => {
    const found: [ObjectKind, string][] = [];
    for await (const { kind, checksum } of repository.listObjects()) found.push([kind, checksum]);
    return found;
  };

  test('of any kind, with one bit changed, cut short or missing, is found by fsck', async () => {
    const objects = await everyKind(await Repository.open(intact));
    expect(new Set(objects.map(([kind]) => kind)).size).toBe(5);
    for (const [kind, checksum] of objects) {
      for (const damage of ['altered', 'cut', 'missing']) {
        const repository = await copy();
        const path = repository.objectFile(checksum, kind);
        const content = readFileSync(path);
        if (damage === 'missing') rmSync(path);
        else if (damage === 'cut') truncateSync(path, content.length - 1);
        else {
          const middle = Math.floor(content.length / 2);
          content[middle] = (content[middle] ?? 0) ^ 1;
          writeFileSync(path, content);
        }
        const { problems } = await checkRepository(repository);
        // Without its commit a ref leads nowhere.
        const isRef = kind === 'commit' && damage === 'missing';
        const name = isRef ? 'test/small' : checksum;
        expect(
          problems.map((each) => each.name),
          `${kind} ${damage}`,
        ).toContain(name);
        const expected = damage === 'missing' ? /^NOT_FOUND_OBJECT$/ : /^CORRUPT_/;
        for (const { error } of problems) expect(error.code).toMatch(expected);
      }
    }
  });

  test.each(['mkfifo', 'mkdir'])(
    'that something else is in the place of, by %s, is found',
    async (by) => {
      const repository = await copy();
      let checksum = '';
      for await (const object of repository.listObjects()) {
        if (object.kind === 'filez') checksum = object.checksum;
      }
      const path = repository.objectFile(checksum, 'filez');
      rmSync(path);
      execFileSync(by, [path]);
      const { problems } = await checkRepository(repository);
      expect(problems.map(({ kind, name, error }) => [kind, name, error.code])).toEqual([
        ['filez', checksum, 'CORRUPT_OBJECT'],
      ]);
    },
  );

  test('of a ref is found by fsck; what is no ref is passed over', async () => {
    const repository = await copy();
    for (const name of ['test/small~', '.small.swp', '#small#']) {
      writeFileSync(join(repository.path, 'refs/heads', name), 'an editor’s');
    }
    expect((await checkRepository(repository)).problems).toEqual([]);
    expect([...(await listRefs(repository)).keys()]).toEqual(['test/small']);
    writeFileSync(join(repository.path, 'refs/heads/test/small'), 'no checksum\n');
    const { problems } = await checkRepository(repository);
    expect(problems.map(({ kind, name, error }) => [kind, name, error.code])).toEqual([
      ['ref', 'test/small', 'CORRUPT_REF'],
    ]);
  });

  test('is not checked out, and what was written is removed', async () => {
    const repository = await copy();
    const path = repository.objectFile(await checksumOf(repository, '/usr/bin/tool'), 'filez');
    truncateSync(path, 60);
    const target = join(folder, 'never');
    await codeOfAsync(() => checkOut(repository, commit, target), 'CORRUPT_OBJECT');
    expect(() => readFileSync(target)).toThrow('ENOENT');
  });

  test('a lost or damaged plan is made again, byte for byte', async () => {
    const repository = await copy();
    const path = repository.objectFile(commit, 'plan');
    const plan = readFileSync(path);
    rmSync(path);
    await remakePlan(repository, commit);
    expect(readFileSync(path)).toEqual(plan);
    writeFileSync(path, plan.subarray(1));
    expect((await checkRepository(repository)).problems).toMatchObject([{ kind: 'plan' }]);
    await remakePlan(repository, commit);
    expect(readFileSync(path)).toEqual(plan);
  });
});

test('objects of any size and kind are read, and pass', async () => {
  for (const size of [0, 1, 63, 64, 65_535, 65_536, 65_537, 1_048_576, 1_048_577]) {
    for (const content of [Buffer.alloc(size, 'text '), randomBytes(size)]) {
      const repository = await copy();
      const tree = smallTree();
      tree.putFile('/sized', content, { mode: 0o600 });
      const options = { ref: 'sized', timestamp, image: false };
      const sized = await commitTree(repository, tree, options);
      const found = await findInCommit(repository, sized.commit, '/sized');
      if (found?.kind !== 'file') throw new Error('it was put there');
      expect((await readAll(repository, found.checksum)).equals(content)).toBe(true);
      expect((await checkRepository(repository)).problems).toEqual([]);
    }
  }
});

describe('a file object that lies', () => {
  const header = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: [] };
  const put = async (size: number, content: Buffer, checksum: string) => {
    const repository = await copy();
    const path = repository.objectFile(checksum, 'filez');
    await mkdir(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat([encodeFileHeader({ ...header, size }), content]));
    return repository;
  };
  const nameOf = (content: Buffer) => fileObjectHash(header).update(content).digest('hex');

  test('a deflate bomb gives no more bytes than its header says', async () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
    for (const size of [0, 10, 100_000, 2_000_000]) {
      const checksum = nameOf(Buffer.alloc(size));
      const repository = await put(size, bomb, checksum);
      let received = 0;
      const read = async () => {
        for await (const piece of readFileContent(repository, checksum)) received += piece.length;
      };
      const error = await codeOfAsync(read, 'CORRUPT_OBJECT');
      expect(error.details.found).toContain('more than');
      await expect(checkFileObject(repository, checksum)).rejects.toEqual(error);
      expect(received).toBeLessThanOrEqual(size);
    }
  });

  test('content that is shorter than the header says, or cut', async () => {
    const content = Buffer.from('hello');
    const deflated = deflateRawSync(content);
    const short = await put(6, deflated, nameOf(content));
    await codeOfAsync(() => readAll(short, nameOf(content)), 'CORRUPT_OBJECT');
    const cut = await put(5, deflated.subarray(0, -1), nameOf(content));
    await codeOfAsync(() => readAll(cut, nameOf(content)), 'CORRUPT_OBJECT');
    const large = Buffer.alloc(2_000_000, 'large');
    const half = deflateRawSync(large).subarray(0, -10);
    const cutLarge = await put(large.length, half, nameOf(large));
    await codeOfAsync(() => readAll(cutLarge, nameOf(large)), 'CORRUPT_OBJECT');
    const garbage = await put(5, Buffer.from('garbage'), nameOf(content));
    await codeOfAsync(() => readAll(garbage, nameOf(content)), 'CORRUPT_OBJECT');
  });

  test('a header that announces what is not there', async () => {
    const repository = await copy();
    const checksum = await checksumOf(repository, '/etc/motd');
    for (const start of ['', '00', 'ffffffff00000000', '0000002000000000', '0000000100000001']) {
      writeFileSync(repository.objectFile(checksum, 'filez'), Buffer.from(start, 'hex'));
      await codeOfAsync(() => readAll(repository, checksum), 'CORRUPT_OBJECT');
    }
  });

  test('as a source for a plan it must have the length that the plan says', async () => {
    const repository = await copy();
    const checksum = await checksumOf(repository, '/etc/motd');
    const read = async (length: number) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of objectsOf(repository).open(checksum, length)) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    };
    expect(await read(5)).toBe('hello');
    for (const length of [0, 4, 6]) await codeOfAsync(() => read(length), 'CORRUPT_OBJECT');
  });
});

describe('a tree that leads out of itself', () => {
  const directoryTree = tuple(array(tuple(string, bytes)), array(tuple(string, bytes, bytes)));
  const raw = (hex: string) => Buffer.from(hex, 'hex');

  /** Writes objects that are right but for what they say, and a commit of them. */
  async function commitOf(
    repository: Repository,
    files: string[],
    directories: string[],
    levels = 1,
  ): Promise<string> {
    const file = await checksumOf(repository, '/etc/motd');
    const put = (object: Buffer, kind: ObjectKind) => {
      const checksum = createHash('sha256').update(object).digest('hex');
      return mkdir(dirname(repository.objectFile(checksum, kind)), { recursive: true }).then(() => {
        writeFileSync(repository.objectFile(checksum, kind), object);
        return checksum;
      });
    };
    const metadata = { mode: 0o040755, uid: 0, gid: 0, xattrs: [] };
    const meta = await put(encodeDirectoryMetadata(metadata), 'dirmeta');
    let tree = await put(directoryTree.encode([[], []]), 'dirtree');
    for (let level = 0; level < levels; level += 1) {
      const object = directoryTree.encode([
        files.map((name) => [name, raw(file)]),
        directories.map((name) => [name, raw(tree), raw(meta)]),
      ]);
      tree = await put(object, 'dirtree');
    }
    const rest = { metadata: [], parent: undefined, related: [], subject: '', body: '', timestamp };
    return put(encodeCommit({ ...rest, rootTree: tree, rootMeta: meta }), 'commit');
  }

  test.each([
    ['..', ['..'], []],
    ['a folder ..', [], ['..']],
    ['.', ['.'], []],
    ['absolute', ['/etc/passwd'], []],
    ['a slash', ['a/b'], []],
    ['a folder with a slash', [], ['../../x']],
    ['empty', [''], []],
    ['an empty folder name', [], ['']],
    ['twice', ['a', 'a'], []],
    ['a file and a folder', ['a'], ['a']],
    ['out of order', ['b', 'a'], []],
    ['too long', ['x'.repeat(256)], []],
  ])('%s', async (_, files, directories) => {
    const repository = await copy();
    const hostile = await commitOf(repository, files, directories);
    await codeOfAsync(() => readTree(repository, hostile), 'CORRUPT_OBJECT');
    const target = join(folder, `hostile-${count++}`);
    await codeOfAsync(() => checkOut(repository, hostile, target), 'CORRUPT_OBJECT');
    const { problems } = await checkRepository(repository);
    expect(problems).toMatchObject([{ kind: 'dirtree' }]);
  });

  test('nested deeper than any path', async () => {
    const repository = await copy();
    const deep = await commitOf(repository, [], ['d'], 2100);
    await codeOfAsync(() => readTree(repository, deep), 'CORRUPT_TREE');
  });

  test('few objects that make more entries than anyone can hold', async () => {
    const repository = await copy();
    const names = Array.from({ length: 100 }, (_, index) => String(index)).sort();
    const wide = await commitOf(repository, [], names, 60);
    await codeOfAsync(() => readTree(repository, wide), 'CORRUPT_TREE');
    expect((await checkRepository(repository)).problems).toEqual([]);
  });
});
