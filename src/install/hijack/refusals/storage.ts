import { PineError } from '../../../error.ts';
import { formatWay } from '../storage/block-devices.ts';
import type { HostFacts } from '../survey.ts';
import { refuse } from './refuse.ts';

/** ext4 features that resize2fs can't shrink, or that an installer must not touch. */
const refusedFeatures = ['bigalloc', 'encrypt', 'meta_bg', 'shared_ba', 'journal_dev'];
/** Where the first partition of an MBR disk must begin: GRUB and a GPT lie before it. */
const leastStart = 1 << 20;

/** What of the disk and the root file system can't be taken over. */
export function refuseStorage({ machine, storage }: HostFacts, wantedDisk?: string): PineError[] {
  if (machine.container !== undefined) return []; // what it sees is its host's
  const { root, ways, disk, table, rootNumber, ext4 } = storage;
  const source = root?.source ?? 'the root file system';
  const [way] = ways;
  const isPlain = ways.length === 1 && way?.map(({ type }) => type).join() === 'disk,part';
  if (root?.fsType !== 'ext4' || !isPlain || disk === undefined) {
    const found =
      way === undefined ? 'no disk that lsblk knows' : ways.map(formatWay).join(' and ');
    return [
      refuse('INPUT_ROOT_STORAGE', 'the root file system is not a plain ext4 on a partition', [
        'ext4 on one partition of one disk, without LVM, RAID or encryption',
        `${root?.fsType ?? 'nothing'} on ${found}`,
        source,
        'order the machine with a plain Debian image, or install an image by a rescue system',
      ]),
    ];
  }
  const refusals: PineError[] = [];
  if (root.readOnly) {
    refusals.push(
      refuse('STATE_READ_ONLY_ROOT', 'the root file system is mounted read-only', [
        'one that can be written',
        'mounted ro',
        source,
        'if it was remounted after an error, see dmesg and repair it first',
      ]),
    );
  }
  if (wantedDisk !== undefined && wantedDisk !== disk.path) {
    refusals.push(
      refuse('INPUT_OTHER_DISK', 'this is not the disk that the system runs from', [
        disk.path,
        wantedDisk,
        'the command line',
        'leave --disk out: only the disk that the root file system is on can be taken over',
      ]),
    );
  }
  if (disk.sectorSize !== 512) {
    refusals.push(
      refuse('INPUT_SECTOR_SIZE', 'the disk has sectors of another size than pine writes', [
        'logical sectors of 512 bytes',
        `${disk.sectorSize} bytes`,
        disk.path,
        'install an image on another disk',
      ]),
    );
  }
  if (table instanceof PineError) return [...refusals, table];
  const place = table?.partitions.find(({ number }) => number === rootNumber);
  if (table?.kind === 'mbr' && (place?.start ?? 0) < leastStart) {
    refusals.push(
      refuse('INPUT_PARTITION_START', 'there is no room before the first partition', [
        `a partition that starts at byte ${leastStart} or later`,
        `byte ${place?.start ?? 0}`,
        disk.path,
        'install an image by a rescue system',
      ]),
    );
  }
  const odd = ext4?.features.filter((feature) => refusedFeatures.includes(feature)) ?? [];
  if (ext4 === undefined || odd.length > 0 || !/^clean$/.test(ext4.state)) {
    refusals.push(
      refuse('INPUT_ROOT_FILE_SYSTEM', "the root file system can't be shrunk as it is", [
        `an ext4 that dumpe2fs calls clean, without ${refusedFeatures.join(', ')}`,
        ext4 === undefined ? 'none that dumpe2fs reads' : [ext4.state, ...odd].join(', '),
        source,
        'install e2fsprogs; let a boot check it (`touch /forcefsck`, or fsck.mode=force)',
      ]),
    );
  }
  return refusals;
}
