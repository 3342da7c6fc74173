import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { measureTree } from '../../src/build/measure.ts';
import { checkRepositorySpace } from '../../src/build/repository-space.ts';
import { scanFolder } from '../../src/build/scan.ts';
import type { SourceContent } from '../../src/build/source-node.ts';
import { sourceSize } from '../../src/build/source-size.ts';
import { Repository } from '../../src/repo/repository.ts';
import { quick } from '../repo/support/quick.ts';
import { smallFolder, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';

const folder = temporaryFolder();
const options = { ref: 'x', timestamp, image: true };
let count = 0;
const fresh = () => smallFolder(join(folder, `tree-${count++}`));

describe.skipIf(missing('xattr') !== undefined)('a folder is scanned', () => {
  test('hard links share a node, owners can be given', async () => {
    const tree = fresh();
    linkSync(join(tree, 'etc/motd'), join(tree, 'second'));
    const scan = await scanFolder(tree, { ownerUid: 7, ownerGid: 8 });
    expect(scan.tree.find('/second')).toBe(scan.tree.find('/etc/motd'));
    expect(scan.tree.find('/etc')).toMatchObject({ kind: 'directory', uid: 7, gid: 8 });
    expect(scan.tree.find('/etc/link')).toMatchObject({ kind: 'symlink', target: 'motd' });
    expect(sourceSize(scan.tree.root)).toBe(5);
  });

  test('a fifo and a socket are refused, or left out with --skip-special; below /dev always', async () => {
    const tree = fresh();
    mkdirSync(join(tree, 'dev/pts'), { recursive: true });
    execFileSync('mkfifo', [join(tree, 'dev/initctl'), join(tree, 'dev/pts/0')]);
    expect((await scanFolder(tree)).skipped.toSorted()).toEqual(['/dev/initctl', '/dev/pts/0']);
    execFileSync('mkfifo', [join(tree, 'etc/fifo')]);
    const error = await codeOfAsync(() => scanFolder(tree), 'INPUT_SPECIAL_FILE');
    expect(error.details.where).toContain('etc/fifo');
    rmSync(join(tree, 'etc/fifo'));
    const server = createServer().listen(join(tree, 'etc/socket'));
    await once(server, 'listening');
    await codeOfAsync(() => scanFolder(tree), 'INPUT_SPECIAL_FILE');
    const { skipped, tree: scanned } = await scanFolder(tree, { skipSpecial: true });
    expect(skipped).toContain('/etc/socket');
    expect(scanned.find('/etc/socket')).toBeUndefined();
    server.close();
  });

  test('names and link targets that are not UTF-8', async () => {
    const tree = fresh();
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/bad-`), Buffer.of(0xff)]), '');
    await codeOfAsync(() => scanFolder(tree), 'INPUT_NAME');
    const second = fresh();
    symlinkSync(Buffer.of(0xc3, 0x28), join(second, 'link'));
    await codeOfAsync(() => scanFolder(second), 'INPUT_NAME');
  });

  test('no such folder, or a file', async () => {
    await codeOfAsync(() => scanFolder(join(folder, 'nothing')), 'NOT_FOUND_FOLDER');
    await codeOfAsync(() => scanFolder(join(fresh(), 'etc/motd')), 'NOT_FOUND_FOLDER');
  });

  test('without getfattr it says what to install', async () => {
    const path = process.env.PATH;
    try {
      process.env.PATH = '/nowhere';
      const error = await codeOfAsync(() => scanFolder(fresh()), 'PROGRAM_MISSING');
      expect(error.details.remedy).toContain('attr');
    } finally {
      process.env.PATH = path;
    }
  });
});

describe.skipIf(missing('xattr') !== undefined)('a file that changes is noticed', () => {
  test.each<[string, (path: string) => void]>([
    ['grows', (path) => appendFileSync(path, 'more')],
    ['is rewritten with the same size', (path) => writeFileSync(path, 'HELLO')],
    [
      'is rewritten, its time put back',
      (path) => {
        const { atime, mtime } = statSync(path);
        writeFileSync(path, 'HELLO');
        utimesSync(path, atime, mtime);
      },
    ],
    [
      'is replaced',
      (path) => writeFileSync(`${path}.new`, 'hello') ?? renameSync(`${path}.new`, path),
    ],
    ['is removed', (path) => rmSync(path)],
    ['becomes a link', (path) => rmSync(path) ?? symlinkSync('/etc/passwd', path)],
    ['becomes a fifo', (path) => rmSync(path) ?? void execFileSync('mkfifo', [path])],
  ])('it %s', async (_, change) => {
    const folderOfTree = fresh();
    const { tree } = await scanFolder(folderOfTree);
    change(join(folderOfTree, 'etc/motd'));
    await codeOfAsync(() => measureTree(tree.root), 'INPUT_FILE_CHANGED');
  });

  test('while it is read', async () => {
    const path = join(fresh(), 'large');
    writeFileSync(path, Buffer.alloc(1_000_000));
    const { tree } = await scanFolder(join(path, '..'));
    const node = tree.find('/large');
    if (node?.kind !== 'file') throw new Error('it is a file');
    const read = async () => {
      for await (const _ of node.content.open()) appendFileSync(path, 'x');
    };
    await codeOfAsync(read, 'INPUT_FILE_CHANGED');
  });

  test('by its content alone, between hashing and storing: nothing is committed', async () => {
    const repository = await Repository.init(join(folder, 'changing'), quick);
    for (const size of [5, 3_000_000]) {
      for (const image of [true, false]) {
        let opened = 0;
        const content: SourceContent = {
          size,
          async *open() {
            opened += 1;
            yield Buffer.alloc(size, opened === 1 ? 'a' : 'b');
          },
        };
        const tree = smallTree();
        tree.putFile('/changing', content, { mode: 0o644 });
        const run = () => commitTree(repository, tree, { ...options, image });
        await codeOfAsync(run, 'INPUT_FILE_CHANGED');
        expect(readdirSync(join(repository.path, 'objects'))).toEqual([]);
        expect(readdirSync(join(repository.path, 'tmp'))).toEqual([]);
        expect(readdirSync(join(repository.path, 'state'))).toEqual([]);
      }
    }
  });
});

describe.skipIf(missing('xattr', 'root') !== undefined)('what may not be read', () => {
  test('is refused with its path', async () => {
    const tree = fresh();
    writeFileSync(join(tree, 'etc/shadow'), 'secret', { mode: 0o600 });
    execFileSync('chmod', ['-R', 'go+rX', folder]);
    execFileSync('chmod', ['0600', join(tree, 'etc/shadow')]);
    const script = `
      import { scanFolder } from ${JSON.stringify(new URL('../../src/build/scan.ts', import.meta.url).href)};
      import { measureTree } from ${JSON.stringify(new URL('../../src/build/measure.ts', import.meta.url).href)};
      process.setuid(65534);
      scanFolder(process.argv[1]).then(({ tree }) => measureTree(tree.root)).then(
        () => console.log('read'),
        (error) => console.log(error.code, error.details.where));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, tree]);
    let output = '';
    for await (const text of child.stdout) output += text;
    expect(output.trim()).toBe(`INPUT_FILE_UNREADABLE ${join(tree, 'etc/shadow')}`);
  });
});

test('S10: a repository without room is refused before anything is written', async () => {
  await checkRepositorySpace(folder, [1, 2, 3]);
  const error = await codeOfAsync(
    () => checkRepositorySpace(folder, [2 ** 50, 5]),
    'SPACE_REPOSITORY',
  );
  expect(error.details.expected).toContain(String(2 ** 50 + 5 + 2 * 4096));
});
