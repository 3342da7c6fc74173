import { nodeBlockDevice } from '../../disk/node-block-device.ts';
import { PineError } from '../../error.ts';
import type { BlockDeviceOpener } from '../../ports/block-device.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { bootReportFile, bootReportLimit, parseBootReport } from '../running.ts';

/** The disk that a machine was started from, and its data partition, with the paths that programs take. */
export interface DataDisk {
  readonly disk: BlockDeviceOpener;
  readonly diskPath: string;
  readonly partition: BlockDeviceOpener;
  readonly partitionPath: string;
}

/** That of the machine that this process runs on, as its initramfs reported it. Throws NOT_FOUND_PARTITION. */
export async function bootedDataDisk(files: FileSystem): Promise<DataDisk> {
  const bytes = await files.readFile(bootReportFile, bootReportLimit);
  const { disk, dataDevice } = parseBootReport(bytes?.toString('utf8') ?? '', bootReportFile);
  const diskPath = `/dev/${disk.replaceAll('!', '/')}`;
  if (dataDevice === '') {
    throw new PineError('NOT_FOUND_PARTITION', 'the disk lacks a partition', {
      expected: 'a partition named data',
      found: 'none',
      where: diskPath,
      remedy: 'check the partition table: sfdisk -d',
    });
  }
  return {
    disk: nodeBlockDevice(diskPath),
    diskPath,
    partition: nodeBlockDevice(dataDevice),
    partitionPath: dataDevice,
  };
}
