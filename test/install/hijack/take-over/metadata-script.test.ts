import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeHost } from '../../../../src/install/hijack/node-host.ts';
import {
  type FileExtent,
  findFileExtents,
} from '../../../../src/install/hijack/take-over/file-extents.ts';
import { installerArchive } from '../../../../src/install/hijack/take-over/installer-initramfs.ts';
import { measureMetadata } from '../../../../src/install/hijack/take-over/metadata-room.ts';
import { randomSource } from '../../../fuzz/mutate.ts';
import { alpineFolder, missing } from '../../../support/requirements.ts';

const seed = Number(process.env.PINE_FUZZ_SEED ?? 1);
const id = '0123456789abcdef';
const block = 4096;
const size = 384 << 20;
/** KiB that it is shrunk to. */
const shrunk = 224 << 10;
const files =
  'find . -type f ! -name metadata -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; find . | LC_ALL=C sort';

// Alpine's busybox and this machine's e2fsprogs, as in the installer.
describe.skipIf(missing('alpine', 'root', 'disk') !== undefined)(
  'the metadata of a file system',
  () => {
    let root: string;
    let image: string;
    let keptAt: FileExtent[];
    let content: string;
    /** The file system with its metadata kept, and what resize2fs made of it. */
    let kept: string;
    let resized: string;

    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'pine-metadata-'));
      [image, kept, resized] = ['image', 'kept', 'resized'].map((name) => join(root, name)) as [
        string,
        string,
        string,
      ];
      const archive = readdirSync(alpineFolder).find((name) => /minirootfs-.*x86_64/.test(name));
      execFileSync('tar', ['-xzf', join(alpineFolder, archive ?? ''), '-C', root]);
      await makeFileSystem();
      const installer = await installerArchive(nodeHost, {
        ...{ diskSize: 1e9, rootStart: 0, rootBlockSize: block, stageSector: 1, starts: 9, id },
        ...{ rootUuid: '5d0ba7aa-2f9f-4a2f-9f10-3a1d7c2b9e11', staging: '/boot/x', steps: '' },
        ...{ checks: '', storyAt: undefined, sums: new Map(), keptAt },
      });
      writeFileSync(join(root, 'installer.cpio'), installer);
      execFileSync('chroot', [root, '/bin/busybox', 'cpio', '-idmu', '-F', '/installer.cpio'], {
        stdio: 'pipe',
      });
      // Both see the disk under one name, a device that takes everything, and what they look for of the kernel's files.
      for (const folder of [root, join(root, 'debian')]) {
        for (const name of ['dev', 'proc/sys/vm'])
          mkdirSync(join(folder, name), { recursive: true });
        writeFileSync(join(folder, 'proc/mounts'), '');
        rmSync(join(folder, 'dev/null'), { force: true });
        execFileSync('mknod', [join(folder, 'dev/null'), 'c', '1', '3']);
      }
      execFileSync('ln', [image, join(root, 'debian/image')]);
      content = listFiles(image);
      expect(
        run(
          'holds_room && list_metadata && tool e2fsck -fy /image >/dev/null; keep_metadata && echo kept',
        ),
      ).toBe('kept');
      copyFileSync(image, kept);
      expect(run(`tool resize2fs /image ${shrunk}K`)).toMatch(/is now/);
      copyFileSync(image, resized);
    }, 120_000);
    afterAll(() => rmSync(root, { recursive: true }));

    /** Files in pieces, folders of many, and a file for what is kept. */
    async function makeFileSystem(): Promise<void> {
      const file = await open(image, 'w');
      await file.truncate(size);
      await file.close();
      execFileSync('/usr/sbin/mke2fs', [
        '-q',
        '-F',
        '-t',
        'ext4',
        '-b',
        '4096',
        '-g',
        '8192',
        image,
      ]);
      const mount = join(root, 'mount');
      mkdirSync(mount);
      execFileSync('mount', ['-o', 'loop', image, mount]);
      try {
        const script = `set -e; cd "$1"
        head -c 90000000 /dev/urandom >low
        for folder in $(seq 60); do
          mkdir -p many/$folder; for one in $(seq 40); do echo $folder $one >many/$folder/a-long-name-of-file-$one; done
        done
        for part in $(seq 60); do
          for one in 1 2 3 4 5; do head -c 12000 /dev/urandom >>pieces-$one; sync -d pieces-$one; done
        done
        ln -s $(printf 'a%.0s' $(seq 200)) link
        head -c 60000000 /dev/urandom >high
        sync -f . && fsfreeze -f . && fsfreeze -u .`;
        execFileSync('bash', ['-c', script, 'bash', mount]);
        const device = execFileSync('findmnt', ['-no', 'SOURCE', mount], {
          encoding: 'utf8',
        }).trim();
        const count = await measureMetadata(nodeHost, device, block);
        const blocks = Array.from({ length: count + 64 }, (_, index) => {
          const one = Buffer.alloc(block);
          one.write(`pine-hijack-room ${id} ${index}\n`);
          return one;
        });
        writeFileSync(join(mount, 'metadata'), Buffer.concat(blocks));
        // What was low becomes room for what is high.
        execFileSync('bash', ['-c', 'rm "$1/low"; sync -f "$1"', 'bash', mount]);
        keptAt = await findFileExtents(nodeHost, join(mount, 'metadata'), block);
      } finally {
        execFileSync('umount', [mount]);
      }
    }

    function listFiles(path: string): string {
      const mount = join(root, 'mount');
      execFileSync('mount', ['-o', 'loop,ro,noload', path, mount]);
      try {
        return execFileSync('bash', ['-c', `cd "$1"; ${files}`, 'bash', mount], {
          ...{ encoding: 'utf8', maxBuffer: 64 << 20 },
        });
      } finally {
        execFileSync('umount', [mount]);
      }
    }

    /** Runs a line with the functions of the installer; gives what it printed. */
    function run(line: string): string {
      const script = `root=/image busybox=busybox runs=/runs; . /hijack/plan; . /hijack/metadata
      tool() { chroot /debian "/sbin/$@" 2>&1 </dev/null; }
      say() { echo "$2"; }
      fail() { echo "failed: $1"; echo "back: $is_back"; exit 0; }
      eval "$(sed -n '/^blocks_of_root/p; /^take_back() {/,/^}/p; /^step_shrink() {/,/^}/p' /init)"
      ${line}`;
      return execFileSync('chroot', [root, '/bin/busybox', 'sh', '-c', script], {
        encoding: 'utf8',
      }).trim();
    }

    /** Puts each block that resize2fs changed as it was or as it became: no order of writes leaves anything else. */
    async function cut(random: (below: number) => number, kind: 'any' | 'all'): Promise<void> {
      await using before = await open(kept);
      await using after = await open(resized);
      await using disk = await open(image, 'r+');
      await disk.truncate(size);
      const [old, young] = [Buffer.alloc(1 << 20), Buffer.alloc(1 << 20)];
      for (let position = 0; position < size; position += old.length) {
        await before.read(old, 0, old.length, position);
        const { bytesRead } = await after.read(young, 0, young.length, position);
        for (let at = 0; at < bytesRead; at += block) {
          if (kind === 'all' || random(2) === 0) young.copy(old, at, at, at + block);
        }
        await disk.write(old, 0, old.length, position);
      }
    }

    const fsck = () => spawnSync('/sbin/e2fsck', ['-fn', image], { encoding: 'utf8' });

    test('comes back whole, whichever blocks of a shrink were written', async () => {
      const random = randomSource(seed);
      let damaged = 0;
      for (let index = 0; index < 6; index += 1) {
        await cut(random, index === 0 ? 'all' : 'any');
        if (fsck().status !== 0) damaged += 1;
        expect(run('restore_metadata')).toMatch(/as it was before/);
        expect(fsck()).toMatchObject({ status: 0 });
        expect(listFiles(image)).toBe(content);
      }
      expect(damaged).toBeGreaterThanOrEqual(5);
    }, 120_000);

    test('is written back by the next run, which shrinks it then, and once', async () => {
      await cut(randomSource(seed + 1), 'any');
      const again = `the old root's metadata is as it was before the shrink\nshrinking the old root to ${shrunk} KiB`;
      expect(run(`step_shrink ${shrunk}`)).toBe(again);
      expect(fsck()).toMatchObject({ status: 0, stdout: expect.stringMatching(/57344 blocks/) });
      expect(listFiles(image)).toBe(content);
      const bytes = readFileSync(image);
      expect(run(`step_shrink ${shrunk}`)).toBe('');
      expect(listFiles(image)).toBe(content);
      expect(bytes.includes(`pine-hijack-kept 1 ${id}`, (keptAt[0]?.start ?? 0) * block)).toBe(
        false,
      );
    }, 120_000);

    test('is not written back when what was kept is damaged, and that is said', async () => {
      await cut(randomSource(seed + 2), 'all');
      const [{ start } = { start: 0 }] = keptAt;
      await using file = await open(image, 'r+');
      await file.write('x', (start + 3) * block);
      expect(run('restore_metadata || echo no')).toMatch(/damaged: going on without\nno$/);
      expect(run(`step_shrink ${shrunk}`)).toMatch(/damaged: going on without/);
      expect(listFiles(image)).toBe(content);
    }, 120_000);

    test.each([
      ['resize2fs /image', /failed: resize2fs: .*dead/s],
      ['e2fsck -fp', /failed: e2fsck after resize2fs: .*dead/s],
    ])(
      'is written back when the shrink ends with a fault: %s',
      (call, reason) => {
        copyFileSync(kept, image);
        const dying = `tool() {
        chroot /debian "/sbin/$@" 2>&1 </dev/null || return
        [ "$1 $2" != "${call}" ] || { echo dead; return 1; }
      }`;
        const said = run(`${dying}
        step_shrink ${shrunk}`);
        expect(said).toMatch(reason);
        expect(said).toContain("back: the old root's metadata is as it was before the shrink");
        execFileSync('truncate', ['-s', String(size), image]); // resize2fs cuts a file, and no partition
        expect(fsck()).toMatchObject({ status: 0, stdout: expect.stringMatching(/98304 blocks/) });
        expect(run('holds_metadata || echo dropped')).toBe('dropped');
      },
      120_000,
    );

    test('is read back: what did not reach the disk ends the run before e2fsck sees it', async () => {
      await cut(randomSource(seed + 3), 'all');
      const deaf = `dd() {
        case "$*" in *of=/image*seek=*) cat >/dev/null ;; *) busybox dd "$@" ;; esac
      }`;
      const said = run(`${deaf}
        step_shrink ${shrunk}`);
      expect(said).toMatch(/^failed: the old root's metadata could not be written back/);
    }, 120_000);

    test('is kept with a few blocks that lie between, but for those that are written meanwhile', () => {
      const listed = `tool() {
        case $1 in
        dumpe2fs) echo "Block count: 1000" ;;
        e2image) for one in 10 11 20 21 300; do echo "Writing block $one"; done ;;
        esac
      }
      metadata_runs`;
      expect(run(listed)).toBe('10 12\n300 1');
      for (const block of [12, 19]) {
        expect(run(`left_alone=${block}; ${listed}`)).toBe('10 2\n20 2\n300 1');
      }
      expect(run(`left_alone=22; ${listed}`)).toBe('10 12\n300 1');
      // Nor are those of the file in which it is kept.
      expect(run(`kept_at="400:9 9:1 19:1"; ${listed}`)).toBe('10 2\n20 2\n300 1');
      expect(run(`kept_at="22:9 5:5"; ${listed}`)).toBe('10 12\n300 1');
    });

    test('is refused before anything is written where there is no room, or the file has moved', () => {
      copyFileSync(kept, image);
      expect(run(`kept_at=${keptAt[0]?.start}:40 && list_metadata || echo no room`)).toBe(
        'no room',
      );
      expect(run('holds_room || echo moved')).toBe('moved'); // its head says what is kept
      expect(run('root=/nowhere && list_metadata || echo no list')).toBe('no list');
      expect(readFileSync(image).equals(readFileSync(kept))).toBe(true);
    }, 120_000);
  },
);
