import type { PineError } from '../../error.ts';
import { type BootLoaderFacts, readBootLoader } from './boot-loader.ts';
import { type NeededDevice, readNeededDevices } from './drivers.ts';
import type { Host } from './host.ts';
import { type KexecFacts, readKexec } from './kexec.ts';
import { type LoginFacts, readLogin } from './login.ts';
import { type MachineFacts, readMachine } from './machine.ts';
import type { ChosenNetwork } from './network/choose-network.ts';
import { readNetwork } from './network/read-network.ts';
import {
  type BlockDeviceNode,
  blockDeviceColumns,
  parseBlockDevices,
  waysTo,
} from './storage/block-devices.ts';
import { type Ext4Facts, parseExt4 } from './storage/ext4.ts';
import { type Mount, parseMounts } from './storage/mounts.ts';
import { type PartitionTable, readPartitionTable } from './storage/partition-table.ts';
import { unreadableDisk } from './storage/unreadable-disk.ts';

/** The disk that the system runs from, as far as it could be found. */
export interface StorageFacts {
  readonly mounts: readonly Mount[];
  readonly root: Mount | undefined;
  /** The ways from disks to the root file system: one of `disk` and `part` is what can be taken over. */
  readonly ways: readonly (readonly BlockDeviceNode[])[];
  readonly disk: BlockDeviceNode | undefined;
  /** `undefined`: there is none, or why it can't be read. */
  readonly table: PartitionTable | PineError | undefined;
  /** The number of the root partition in the table. */
  readonly rootNumber: number | undefined;
  readonly ext4: Ext4Facts | undefined;
  /** Bytes that can be written in the root file system. */
  readonly free: number;
}

/** Everything that is to be known of a system before it is replaced. */
export interface HostFacts {
  readonly userId: number;
  readonly machine: MachineFacts;
  readonly storage: StorageFacts;
  readonly bootLoader: BootLoaderFacts;
  readonly kexec: KexecFacts;
  readonly network: ChosenNetwork;
  readonly login: LoginFacts;
  readonly devices: readonly NeededDevice[];
  /** Services that are started at boot, which are lost: names without their endings. */
  readonly services: readonly string[];
}

/** Looks at a running system. Writes nothing, and reads a few sectors of its disk. */
export async function surveyHost(host: Host): Promise<HostFacts> {
  const machine = await readMachine(host);
  const storage = await readStorage(host);
  const network = await readNetwork(host);
  const disk = storage.disk?.path.replace(/^\/dev\//, '').replaceAll('/', '!');
  const cards = network.network.interfaces.map(({ name }) => name);
  const services = await host.list('/etc/systemd/system/multi-user.target.wants');
  return {
    userId: host.userId,
    machine,
    storage,
    bootLoader: await readBootLoader(host, storage.mounts, storage.disk),
    kexec: await readKexec(host),
    network,
    login: await readLogin(host),
    devices: disk === undefined ? [] : await readNeededDevices(host, disk, cards),
    services: services.map((name) => name.replace(/\.(service|socket|target|timer|path)$/, '')),
  };
}

async function readStorage(host: Host): Promise<StorageFacts> {
  const mounts = parseMounts((await host.readText('/proc/self/mountinfo')) ?? '');
  const root = mounts.find(({ mountPoint }) => mountPoint === '/');
  const nodes = parseBlockDevices(
    (await host.report('lsblk', ['-J', '-b', '-o', blockDeviceColumns])) ?? '{}',
  );
  const ways = waysTo(nodes, ({ mountPoint, path }) => mountPoint === '/' || path === root?.source);
  const [disk, partition] = ways[0] ?? [];
  const header = (await host.report('dumpe2fs', ['-h', partition?.path ?? ''])) ?? '';
  const minimum = (await host.report('resize2fs', ['-P', partition?.path ?? ''])) ?? '';
  const statistics = (await host.report('df', ['--output=avail', '-B1', '/'])) ?? '';
  return {
    ...{ mounts, root, ways, disk },
    table: disk === undefined ? undefined : await readTable(host, disk),
    rootNumber: await partitionNumber(host, partition),
    ext4: parseExt4(header, minimum),
    free: Number(/\d+/.exec(statistics)?.[0] ?? 0),
  };
}

async function readTable(host: Host, disk: BlockDeviceNode): Promise<PartitionTable | PineError> {
  const reader = {
    size: disk.size,
    read: (position: number, length: number) => host.readBytes(disk.path, position, length),
  };
  try {
    return await readPartitionTable(reader, disk.path);
  } catch (error) {
    return unreadableDisk(disk.path, error);
  }
}

async function partitionNumber(
  host: Host,
  partition: BlockDeviceNode | undefined,
): Promise<number | undefined> {
  const name = partition?.path.replace(/^\/dev\//, '') ?? '';
  const text = await host.readText(`/sys/class/block/${name}/partition`);
  return text === undefined ? undefined : Number(text);
}
