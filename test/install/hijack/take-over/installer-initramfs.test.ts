import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeHost } from '../../../../src/install/hijack/node-host.ts';
import { installerArchive } from '../../../../src/install/hijack/take-over/installer-initramfs.ts';
import { formatSteps } from '../../../../src/install/hijack/take-over/steps.ts';
import { missing } from '../../../support/requirements.ts';

const piece = { file: 'slot', start: 3 << 20, size: 5_000_000, sha256: 'ab' };
const steps = formatSteps([
  { kind: 'shrink', size: 64 << 20 },
  { kind: 'write', ...piece },
  { kind: 'write', ...piece, file: 'table', start: 1024 },
  { kind: 'format', start: 4096, size: 1 << 20, label: 'pine-data', uuid: 'u' },
  { kind: 'commitment' },
  { kind: 'write', ...piece, file: 'first', start: 0, size: 512 },
]);

test('steps are lines for a shell, which counts in the largest blocks that lead to a place', () => {
  expect(steps.split('\n')).toEqual([
    ...['shrink 65536', 'write slot 1048576 3 5 5000000 ab', 'write table 1024 1 4883 5000000 ab'],
    ...['format 4096 1024 pine-data u', 'commitment', 'write first 512 0 1 512 ab', ''],
  ]);
});

// This machine stands for the old system: its own e2fsprogs go along.
describe.skipIf(missing('disk', 'root') !== undefined)("the installer's archive", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pine-installer-'));
    const archive = await installerArchive(nodeHost, {
      ...{ diskSize: 1e9, rootStart: 1 << 20, rootBlockSize: 4096, stageSector: 12345, starts: 9 },
      ...{ rootUuid: '5D0BA7AA-2f9f-4a2f-9f10-3a1d7c2b9e11', staging: '/boot/x', steps },
      ...{ checks: '', id: '0123456789abcdef', storyAt: 524_288 },
      keptAt: [
        { start: 100, count: 7 },
        { start: 300, count: 9 },
      ],
      sums: new Map([['slot', 'ab']]),
    });
    unpack(archive, folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("has the old system's e2fsprogs with all that they need", () => {
    for (const name of ['e2fsck', 'resize2fs', 'mke2fs', 'dumpe2fs', 'debugfs', 'e2image']) {
      const run = () =>
        execFileSync('chroot', [join(folder, 'debian'), `/sbin/${name}`, '-V'], { stdio: 'pipe' });
      // These know no -V, and say how they are used.
      if (name === 'resize2fs' || name === 'e2image') expect(run).toThrow(/Usage/);
      else expect(run).not.toThrow();
    }
  });

  test('makes a data file system that pine knows, whatever the old system would make', () => {
    const image = join(folder, 'debian/image');
    writeFileSync(image, Buffer.alloc(32 << 20));
    const uuid = '11111111-2222-3333-4444-555555555555';
    execFileSync('chroot', [
      ...[join(folder, 'debian'), '/sbin/mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096'],
      ...['-L', 'pine-data', '-U', uuid, '-E', 'offset=4194304', '/image', '24576k'],
    ]);
    const said = execFileSync('/usr/sbin/dumpe2fs', ['-h', `${image}?offset=4194304`], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(said).toContain(uuid);
    expect(said).not.toMatch(/orphan_file|metadata_csum_seed/);
    expect(said).toMatch(/metadata_csum/);
  });

  test('has a script that a shell reads, and is told what it must know', () => {
    execFileSync('sh', ['-n', join(folder, 'init')]);
    const show =
      '. "$0"; echo "$disk_size $root_start $root_uuid $stage_sector $staging $starts $id $story_at $kept_at"';
    expect(
      execFileSync('sh', ['-c', show, join(folder, 'hijack/plan')], { encoding: 'utf8' }),
    ).toBe(
      '1000000000 1048576 5d0ba7aa2f9f4a2f9f103a1d7c2b9e11 12345 /boot/x 9 0123456789abcdef 524288 100:7 300:9\n',
    );
  });
});

/** Takes a newc archive apart, as far as files go. */
function unpack(archive: Buffer, folder: string): void {
  for (let at = 0; at < archive.length; ) {
    const number = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, nameSize] = [number(1), number(6), number(11)];
    const name = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const start = (at + 110 + nameSize + 3) & ~3;
    at = (start + size + 3) & ~3;
    if (mode >> 12 !== 8) continue;
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, archive.subarray(start, start + size));
    chmodSync(path, mode & 0o777);
  }
}
