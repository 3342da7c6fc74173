import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../scripts/root/programs.ts';
import { readAsset } from '../../../src/asset.ts';
import { nodeHost } from '../../../src/install/hijack/node-host.ts';
import { findFileExtents } from '../../../src/install/hijack/take-over/file-extents.ts';
import { parseRecord } from '../../../src/take-over/record.ts';
import { debianRoot } from './debian-disk.ts';
import { copyDisk } from './lab.ts';

/** Kind, mode, owner, size, name and target of everything but the block that GRUB counts in and what metadata is kept in, and the SHA-256 of each file. */
const listing = `cd "$1" && set -o pipefail
find . \\( -path ./boot/pine-hijack/env -o -path ./boot/pine-hijack/metadata \\) -prune -o -type d -printf '%y %m %U %G - %p\\n' -o -printf '%y %m %U %G %s %p %l\\n' | LC_ALL=C sort
find . \\( -path ./boot/pine-hijack/env -o -path ./boot/pine-hijack/metadata \\) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum`;

/** Lists all that a Debian disk's root holds, which is whole. Needs root and a loop device. */
export function listOldRoot(disk: string): Promise<string> {
  return mounted(disk, (mount) => run('bash', ['-c', listing, 'bash', mount]));
}

async function mounted<T>(disk: string, look: (mount: string) => Promise<T>): Promise<T> {
  const mount = mkdtempSync(`${disk}.old-`);
  try {
    await run('mount', ['-o', `ro,noload,loop,offset=${debianRoot.bios}`, disk, mount]);
    try {
      return await look(mount);
    } finally {
      await run('umount', [mount]);
    }
  } finally {
    rmSync(mount, { recursive: true });
  }
}

/** What the installer is told of where it keeps the metadata of the old root. */
export interface KeptMetadata {
  readonly id: string;
  readonly keptAt: string;
}

/** Reads it off a disk that was prepared. */
export async function findKeptMetadata(disk: string): Promise<KeptMetadata> {
  return mounted(disk, async (mount) => {
    const prepared = join(mount, 'boot/pine-hijack');
    const { id = '' } = parseRecord(readFileSync(join(prepared, 'record'), 'utf8')) ?? {};
    const extents = await findFileExtents(nodeHost, join(prepared, 'metadata'), 4096);
    return { id, keptAt: extents.map(({ start, count }) => `${start}:${count}`).join(' ') };
  });
}

/** What the installer does first when a shrink was cut, by its own script. */
const restore = `root=$1 root_block=4096 id=$2 kept_at=$3 busybox= runs=$4
${readAsset('src/install/hijack/take-over/metadata.sh')}
restore_metadata`;

/**
 * The same of a disk that a power cut left: of a copy, on which the installer's first steps were done: the metadata put back,
 * and e2fsck. Rejects when that finds what it can't mend.
 */
export async function listCutRoot(disk: string, { id, keptAt }: KeptMetadata): Promise<string> {
  const copy = await copyDisk(disk, `${disk}.copy`);
  try {
    const device = (
      await run('losetup', ['--find', '--show', `--offset=${debianRoot.bios}`, copy])
    ).trim();
    try {
      await run('sh', ['-c', restore, 'sh', device, id, keptAt, `${copy}.runs`]);
    } finally {
      await run('losetup', ['--detach', device]);
      rmSync(`${copy}.runs`, { force: true });
    }
    const status = await exitStatus('/sbin/e2fsck', ['-fy', `${copy}?offset=${debianRoot.bios}`]);
    if (status > 2) throw new Error(`e2fsck -fy ends with ${status}`);
    return await listOldRoot(copy);
  } finally {
    rmSync(copy);
  }
}

/** The names that two such lists do not say the same of. */
export function changedFiles(one: string, other: string): string[] {
  const [before, after] = [new Set(one.split('\n')), new Set(other.split('\n'))];
  const lines = [
    ...[...before].filter((line) => !after.has(line)),
    ...[...after].filter((line) => !before.has(line)),
  ];
  return [...new Set(lines.map((line) => /\.\/\S*/.exec(line)?.[0] ?? line))].sort();
}

function exitStatus(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 64 << 20 }, (error) => {
      if (error === null) resolve(0);
      else if (typeof error.code === 'number') resolve(error.code);
      else reject(error);
    });
  });
}
