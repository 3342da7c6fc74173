import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { run } from '../../../scripts/root/programs.ts';
import { debianRoot } from './debian-disk.ts';
import { copyDisk } from './lab.ts';

/** Kind, mode, owner, size, name and target of everything but the block that GRUB counts in, and the SHA-256 of each file. */
const listing = `cd "$1" && set -o pipefail
find . -path ./boot/pine-hijack/env -prune -o -type d -printf '%y %m %U %G - %p\\n' -o -printf '%y %m %U %G %s %p %l\\n' | LC_ALL=C sort
find . -path ./boot/pine-hijack/env -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum`;

/** Lists all that a Debian disk's root holds, which is whole. Needs root and a loop device. */
export async function listOldRoot(disk: string): Promise<string> {
  const mount = mkdtempSync(`${disk}.old-`);
  try {
    await run('mount', ['-o', `ro,noload,loop,offset=${debianRoot.bios}`, disk, mount]);
    try {
      return await run('bash', ['-c', listing, 'bash', mount]);
    } finally {
      await run('umount', [mount]);
    }
  } finally {
    rmSync(mount, { recursive: true });
  }
}

/** The same of a disk that a power cut left: after an e2fsck of a copy of it, as a boot does it. Rejects when that finds what it can't mend. */
export async function listCutRoot(disk: string): Promise<string> {
  const copy = await copyDisk(disk, `${disk}.copy`);
  try {
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
