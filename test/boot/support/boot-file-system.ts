import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootPartitionFiles, writeTree } from '../../../src/install/boot-partition.ts';
import { runProgram } from '../../../src/install/program.ts';
import { deploymentOf } from './tiny-machine.ts';

/** An ext4 (or ext2) file system with the files of a boot partition, made by mkfs with these options. */
export async function makeBootFileSystem(
  options: readonly string[],
  size = 8 << 20,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'pine-bootfs-'));
  try {
    const path = join(folder, 'boot.img');
    const file = await open(path, 'w');
    await file.truncate(size);
    await file.close();
    await writeTree(join(folder, 'tree'), new Map(bootPartitionFiles(deploymentOf(1))));
    await runProgram('mkfs.ext4', ['-q', '-F', ...options, '-d', join(folder, 'tree'), path]);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
