import { open } from 'node:fs/promises';
import { readAsset } from '../../../asset.ts';
import { nodeBlockDevice } from '../../../disk/node-block-device.ts';
import { PineError } from '../../../error.ts';
import type { Host } from '../host.ts';
import { settle } from './activate.ts';
import { type FileExtent, findFileExtents, noPlace } from './file-extents.ts';
import type { Road } from './road.ts';

/** Blocks beside what is needed when this is prepared: the old system goes on writing until it is shut down. */
const spare = 1024;
const blocksAtATime = 256;
/** A million files on a slow disk take their time. */
const minutes = 15;

/**
 * Makes the file in which the installer keeps the old file system's metadata while that shrinks (metadata.sh), and says
 * where it lies. Each block says whose it is and its number, so that the installer can see that it is still there.
 * Throws PROGRAM_UNEXPECTED.
 */
export async function makeMetadataRoom(
  host: Host,
  { rootPath, rootStart, blockSize, diskPath }: Road,
  path: string,
  id: string,
): Promise<FileExtent[]> {
  const needed = await measureMetadata(host, rootPath, blockSize);
  const count = needed + Math.ceil(needed / 4) + spare;
  await writeRoom(path, id, count, blockSize);
  await settle();
  await nodeBlockDevice(diskPath).dropCache();
  const extents = await findFileExtents(host, path, blockSize);
  let index = 0;
  for (const extent of extents) {
    for (const at of [0, extent.count - 1]) {
      const position = rootStart + (extent.start + at) * blockSize;
      const block = await host.readBytes(diskPath, position, blockSize);
      if (block.equals(roomBlock(id, index + at, blockSize))) continue;
      throw noPlace(path, blockSize, `something else in block ${extent.start + at}`);
    }
    index += extent.count;
  }
  return extents;
}

/** Blocks that the metadata of a mounted file system takes when it is kept, as it is now. Throws PROGRAM_UNEXPECTED. */
export async function measureMetadata(
  host: Pick<Host, 'report'>,
  device: string,
  blockSize: number,
): Promise<number> {
  const script = [
    ...['root=$1', 'root_block=$2', 'busybox='],
    'tool() { "$@" 2>&1 </dev/null; }',
    readAsset('src/install/hijack/take-over/metadata.sh'),
    'all=$(metadata_runs) && echo "$all" | blocks_to_keep',
  ].join('\n');
  const said = await host.report(
    'sh',
    ['-c', script, 'sh', device, String(blockSize)],
    minutes * 60,
  );
  if (said !== undefined && /^[1-9]\d*$/.test(said)) return Number(said);
  throw new PineError('PROGRAM_UNEXPECTED', "the old root's metadata could not be measured", {
    expected: 'dumpe2fs, debugfs and e2image to list its blocks',
    found: said || 'nothing, or a program that failed',
    where: device,
    remedy: `run \`e2image -rnf ${device} /dev/null\` and \`dumpe2fs ${device}\`, which say what is wrong`,
  });
}

function roomBlock(id: string, index: number, blockSize: number): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(`pine-hijack-room ${id} ${index}\n`);
  return block;
}

async function writeRoom(path: string, id: string, count: number, blockSize: number) {
  await using file = await open(path, 'wx', 0o600);
  for (let index = 0; index < count; index += blocksAtATime) {
    const length = Math.min(blocksAtATime, count - index);
    const blocks = Array.from({ length }, (_, at) => roomBlock(id, index + at, blockSize));
    await file.writeFile(Buffer.concat(blocks));
  }
  await file.sync();
}
