import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measureFolder } from '../../src/deploy/measure-folder.ts';
import { mergeEtc } from '../../src/etc/merge/merge-etc.ts';
import { FolderSink } from '../../src/etc/trees/folder-sink.ts';
import { folderTree } from '../../src/etc/trees/folder-tree.ts';
import type { FileSystem } from '../../src/ports/file-system.ts';
import { nodeFileSystem } from '../../src/ports/node-file-system.ts';
import { missing } from '../support/requirements.ts';

let folder: string;
let notes: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-merge-'));
  notes = [];
  for (const name of ['old', 'new', 'local']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (...names: string[]) => join(folder, ...names);

async function merge(files: FileSystem = nodeFileSystem) {
  const note = (text: string) => void notes.push(text);
  const sink = new FolderSink(files, at('out'));
  const sides = {
    base: await folderTree(files, at('old')),
    next: await folderTree(files, at('new')),
    local: await folderTree(files, at('local'), note),
  };
  const report = await mergeEtc({ sides, marks: [], previous: [], sink, note });
  await sink.finish();
  return report;
}

describe.skipIf(missing('root') !== undefined)('a merge on a real file system', () => {
  it('keeps contents, modes, owners, links and times; leaves sockets and fifos out', async () => {
    const { setOwner, setTime } = nodeFileSystem;
    mkdirSync(at('local/sub'));
    writeFileSync(at('local/shadow'), 'secret');
    chmodSync(at('local/shadow'), 0o640);
    await setOwner(at('local/shadow'), 0, 42);
    await setTime(at('local/shadow'), 1_000_000_000);
    writeFileSync(at('local/sub/large'), Buffer.alloc(700_000, 7));
    writeFileSync(at('local/setuid'), 'x');
    await setOwner(at('local/setuid'), 1000, 1000);
    chmodSync(at('local/setuid'), 0o4755);
    symlinkSync('../outside/$x', at('local/link'));
    chmodSync(at('local/sub'), 0o711);
    execFileSync('mkfifo', [at('local/fifo')]);

    expect((await merge()).conflicts).toEqual([]);
    expect(notes).toEqual(['fifo is neither a file, a folder nor a link: it is left out']);
    const names = await nodeFileSystem.readFolder(at('out'));
    expect(names).toEqual(['link', 'setuid', 'shadow', 'sub']);
    expect(lstatSync(at('out/shadow'))).toMatchObject({ uid: 0, gid: 42, mtimeMs: 1e12 });
    expect(lstatSync(at('out/shadow')).mode & 0o7777).toBe(0o640);
    expect(lstatSync(at('out/setuid')).mode & 0o7777).toBe(0o4755);
    expect(lstatSync(at('out/sub')).mode & 0o7777).toBe(0o711);
    expect(readlinkSync(at('out/link'))).toBe('../outside/$x');
    expect(readFileSync(at('out/sub/large')).equals(Buffer.alloc(700_000, 7))).toBe(true);
    expect(await measureFolder(nodeFileSystem, at('out'))).toBeGreaterThan(700_000);
  });

  it.skipIf(missing('xattr') !== undefined)(
    'merges extended attributes, capabilities too',
    async () => {
      for (const side of ['old', 'new', 'local']) writeFileSync(at(side, 'ping'), 'x');
      execFileSync('setfattr', ['-n', 'user.mine', '-v', '1', at('local/ping')]);
      const capability = '0x0100000200200000000000000000000000000000';
      execFileSync('setfattr', ['-n', 'security.capability', '-v', capability, at('new/ping')]);
      expect((await merge()).conflicts).toEqual([]);
      const found = execFileSync('getfattr', ['-d', '-m', '-', '-e', 'hex', 'ping'], {
        cwd: at('out'),
      });
      expect(`${found}`).toContain('user.mine=0x31');
      expect(`${found}`).toContain(`security.capability=${capability}`);
    },
  );

  it('does with ten thousand files, links in circles, names of any bytes and a file of 200 MB', async () => {
    for (let index = 0; index < 100; index += 1) {
      mkdirSync(at('local', `d${index}`));
      for (let file = 0; file < 100; file += 1) {
        writeFileSync(at('local', `d${index}`, `f${file}`), `${index} ${file}\n`);
      }
    }
    symlinkSync('.', at('local/circle'));
    symlinkSync('other', at('local/one'));
    symlinkSync('one', at('local/other'));
    const odd = Buffer.concat([Buffer.from(at('local/')), Buffer.from([0x66, 0xff])]);
    writeFileSync(odd, 'odd\n');
    writeFileSync(at('local/large'), 'begin');
    truncateSync(at('local/large'), 200_000_000);
    const held = process.memoryUsage.rss();
    expect((await merge()).conflicts).toEqual([]);
    expect(process.memoryUsage.rss() - held).toBeLessThan(150_000_000);
    expect(readFileSync(at('out/d99/f99'), 'utf8')).toBe('99 99\n');
    expect(await nodeFileSystem.readFile(`${at('out')}/f\udcff`, 10)).toEqual(Buffer.from('odd\n'));
    expect(lstatSync(at('out/large')).size).toBe(200_000_000);
    expect(readlinkSync(at('out/one'))).toBe('other');
  });

  it('takes a file that goes while it is merged for removed', async () => {
    writeFileSync(at('local/here'), 'a\n');
    writeFileSync(at('local/going'), 'b\n');
    const files: FileSystem = {
      ...nodeFileSystem,
      readAt(path, position, length) {
        if (path.endsWith('/going')) rmSync(path, { force: true });
        return nodeFileSystem.readAt(path, position, length);
      },
    };
    expect((await merge(files)).conflicts).toEqual([]);
    expect(existsSync(at('out/here'))).toBe(true);
    expect(existsSync(at('out/going'))).toBe(false);
  });

  it('leaves no file out in silence that can not be read', async () => {
    writeFileSync(at('local/here'), 'a\n');
    const files: FileSystem = {
      ...nodeFileSystem,
      readAt() {
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      },
    };
    await expect(merge(files)).rejects.toThrow('EIO');
  });
});
