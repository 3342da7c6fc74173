import { readExt4Size } from '../../disk/ext4-size.ts';
import { parseEntries } from '../../disk/gpt.ts';
import { readGptTable } from '../../disk/gpt-table.ts';
import { type GrowthPlan, planGrowth } from '../../disk/grow-partition.ts';
import type { BlockDevice, BlockDeviceOpener } from '../../ports/block-device.ts';
import type { Machine } from '../machine.ts';
import { choiceAfter } from '../refusals.ts';
import { refuseDegraded } from '../situation.ts';
import { underLock } from '../under-lock.ts';
import { countAttempt } from './attempts.ts';
import type { DataDisk } from './data-disk.ts';

/** How it went. Sizes are bytes of the file system. */
export type GrowthOutcome =
  /** The disk has not grown, or the data partition is not to follow it. */
  | { readonly kind: 'unchanged'; readonly size: number }
  | { readonly kind: 'grown'; readonly before: number; readonly size: number }
  /** The partition is longer; the kernel learns of it at the next boot, which goes on from there. */
  | { readonly kind: 'next-boot'; readonly size: number; readonly why: string }
  | { readonly kind: 'failed'; readonly size: number; readonly why: string };

/** A file system may be so much smaller than its partition: ext4 leaves out a last group that is too small. */
const slack = 16 << 20;
/** Seconds. On a large disk many block groups are written. */
const resizeTime = 3600;
const partxTime = 60;
const lockWait = 60;

/**
 * Lets the data partition and its file system fill a disk that has grown. The file system stays mounted: only so does
 * ext4 grow through its journal, and a power cut leaves it whole. Cut anywhere, the next run goes on from there (S7).
 * `automatic` is for a boot: what failed a few times with this disk is not tried again.
 * Throws STATE_DEGRADED, and STATE_ON_TRIAL while the running deployment is on trial.
 */
export async function growData(
  machine: Machine,
  dataDisk: DataDisk,
  automatic: boolean,
): Promise<GrowthOutcome> {
  refuseDegraded(machine);
  return underLock(
    machine,
    async () => {
      // What a trial shows must be the new system's doing. The same is refused as for a change of arguments.
      choiceAfter(await machine.bootLoader.readChoice(), {
        kind: 'unlist',
        running: machine.running.block ?? 0,
        blocks: [],
      });
      return await growUnderLock(machine, dataDisk, automatic);
    },
    lockWait,
  );
}

async function growUnderLock(
  machine: Machine,
  { disk, diskPath, partition, partitionPath }: DataDisk,
  automatic: boolean,
): Promise<GrowthOutcome> {
  const { runProgram } = machine.effects;
  const { diskSize, number, listed, plan } = await use(disk, 'read', inspect);
  const { known, before } = await use(partition, 'read', measure);
  const wanted = plan?.after ?? listed;
  if (plan === undefined && wanted - before < slack) return { kind: 'unchanged', size: before };
  if (automatic && !(await countAttempt(machine, diskSize))) {
    const why = 'tried too often with this disk; run `pinectl state grow` once the cause is mended';
    return { kind: 'failed', size: before, why };
  }
  if (plan !== undefined) await use(disk, 'write', (device) => writeStages(device, plan.stages));
  if (known < wanted) {
    const parameters = ['--update', '--nr', String(number), diskPath];
    const { passed, detail } = await runProgram('partx', partxTime, { parameters });
    if (!passed) return { kind: 'next-boot', size: before, why: `partx: ${detail}` };
  }
  const resized = await runProgram('resize2fs', resizeTime, { parameters: [partitionPath] });
  const { before: size } = await use(partition, 'read', measure);
  if (resized.passed && size > before) return { kind: 'grown', before, size };
  return { kind: 'failed', size, why: `resize2fs: ${resized.detail}` };
}

/** What the table says of the data partition, and how it could grow. A damaged table is not for this to mend. */
async function inspect(
  device: BlockDevice,
): Promise<{ diskSize: number; number: number; listed: number; plan: GrowthPlan | undefined }> {
  const table = await readGptTable(device, 1);
  const entry =
    typeof table === 'string' ? undefined : parseEntries(table).find(({ name }) => name === 'data');
  const plan = typeof table === 'string' ? undefined : planGrowth(table, device.size, 'data');
  return { diskSize: device.size, number: entry?.number ?? 0, listed: entry?.size ?? 0, plan };
}

/** How long the kernel takes the partition to be, and how long its file system is. */
async function measure(device: BlockDevice): Promise<{ known: number; before: number }> {
  return { known: device.size, before: (await readExt4Size(device)) ?? device.size };
}

async function writeStages(device: BlockDevice, stages: GrowthPlan['stages']): Promise<void> {
  for (const stage of stages) {
    for (const { position, bytes } of stage) await device.write(position, bytes);
    await device.flush(); // S6
  }
}

async function use<T>(
  opener: BlockDeviceOpener,
  mode: 'read' | 'write',
  work: (device: BlockDevice) => Promise<T>,
): Promise<T> {
  const device = await opener.open(mode);
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}
