import type { OldSystemWish } from '../boot/old-system-wish.ts';
import type { CommitFacts } from '../install/hijack/commit-facts.ts';
import { writeInterfaces } from '../install/hijack/network/interfaces-file.ts';
import type { Preflight } from '../install/hijack/preflight.ts';
import { formatWay } from '../install/hijack/storage/block-devices.ts';
import type { HostFacts } from '../install/hijack/survey.ts';
import { formatBytes } from './output.ts';

/** What `hijack --check` prints: what was found, what a take-over would do and lose, what is in its way. */
export function describePreflight(
  facts: HostFacts,
  commit: CommitFacts | undefined,
  preflight: Preflight,
  oldSystem?: OldSystemWish,
): string {
  return [
    ...section('Found', findings(facts, commit)),
    ...section('Carried over', carriedOver(facts)),
    ...section('Lost', preflight.lost),
    ...section('What a take-over does', steps(facts, preflight, oldSystem)),
    ...section('Worth knowing', preflight.warnings),
    ...section(
      preflight.refusals.length === 0 ? 'Nothing is in the way' : 'In the way',
      preflight.refusals.map(
        ({ code, message, details }) =>
          `${code}: ${message}; found ${details.found}; do: ${details.remedy}`,
      ),
    ),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return title.startsWith('Nothing') ? [title] : [];
  return [`${title}:`, ...lines.flatMap((line) => line.split('\n')).map((line) => `  ${line}`)];
}

function findings(facts: HostFacts, commit: CommitFacts | undefined): string[] {
  const { machine, storage, bootLoader, network, devices } = facts;
  const { table, ext4, ways } = storage;
  const kind =
    table === undefined || table instanceof Error ? 'no table' : table.kind.toUpperCase();
  return [
    `machine   ${machine.processor}, ${machine.virtualization}, ${machine.firmware.toUpperCase()}, ${machine.distribution}, kernel ${machine.kernel}`,
    `memory    ${formatBytes(machine.memory)}, swap ${formatBytes(machine.swap)}`,
    ...ways.map((way) => `root      ${storage.root?.fsType} on ${formatWay(way)}, ${kind}`),
    ...(ext4 === undefined
      ? []
      : [
          `          ${formatBytes(ext4.size)}, of which Debian needs ${formatBytes(ext4.least)}; ${formatBytes(storage.free)} free`,
        ]),
    `boot      ${bootLoader.bootImage === undefined ? 'not by GRUB' : `GRUB started ${bootLoader.bootImage}`}`,
    `network   by ${network.source}`,
    ...devices.map(({ of, driver, modalias }) => `driver    ${of}: ${driver} (${modalias})`),
    ...(commit === undefined
      ? []
      : [
          `commit    ${commit.version ?? ''} ${commit.checksum.slice(0, 12)}, image ${formatBytes(commit.imageSize)}, signed by ${commit.signedBy}`,
        ]),
  ];
}

function carriedOver({ network, login }: HostFacts): string[] {
  const users = login.users.map(({ name, keyFiles }) => {
    const keys = keyFiles.reduce((sum, file) => sum + file.keys, 0);
    return `${name} (${keys} ${keys === 1 ? 'key' : 'keys'})`;
  });
  return [
    `host name ${login.hostname}, time zone ${login.timeZone}`,
    `sshd on port ${login.ports.join(', ') || '22'}, ${login.hostKeys.length} host keys, PermitRootLogin ${login.permitRootLogin}`,
    `users ${users.join(', ')}`,
    '/etc/network/interfaces:',
    ...writeInterfaces(network.network)
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line.replace('\t', '    ')}`),
  ];
}

function steps(
  { storage, machine }: HostFacts,
  { disk, layout, entry, memory, payload }: Preflight,
  oldSystem: OldSystemWish | undefined,
): string[] {
  if (disk === undefined) return [];
  const root = storage.root?.source ?? 'the root partition';
  const removed = disk.removed.map(({ number }) => `${number} (swap)`);
  return [
    `1. fetch, verify and build ${formatBytes(payload)} in ${root}; Debian runs on, nothing else changes`,
    `2. ${entry === 'kexec' ? 'stop Debian and enter the installer by `systemctl kexec`' : 'boot the installer once, by an entry of the GRUB that is there'}; whatever fails boots Debian again`,
    `   (it needs about ${formatBytes(memory.needed)} of memory; there are ${formatBytes(memory.found)})`,
    `3. FIRST WRITE: shrink the file system on ${root} to ${formatBytes(disk.shrunk.size)}; Debian still boots, no longer byte-identical`,
    `4. write pine's partitions behind it (${layout})${removed.length > 0 ? `, where partition ${removed.join(', ')} goes` : ''}:`,
    ...disk.partitions.map(
      ({ number, role, start, size }) =>
        `     ${String(number).padStart(2)} ${role.padEnd(10)}${formatBytes(size).padStart(9)} at ${formatBytes(start)}`,
    ),
    ...(disk.esp === undefined
      ? []
      : [
          `     partition ${disk.esp}, from which the firmware starts GRUB, stays and becomes pine's`,
        ]),
    `5. COMMITMENT, the point of no return: ${machine.firmware === 'uefi' ? 'which programs the EFI system partition has under the names that the firmware knows,' : 'the boot code'} and the partition table; from here on the machine ends in pine`,
    '6. boot pine as a trial: confirmed once it is healthy and somebody has logged in over SSH (or as --confirm-after says), else Debian comes back',
    `7. ${afterwards(oldSystem)}`,
  ];
}

function afterwards(oldSystem: OldSystemWish | undefined): string {
  switch (oldSystem) {
    case undefined:
      return 'Debian stays in its partition: `pinectl hijack --undo` boots it again, `--wipe` erases it';
    case 'keep-data':
      return 'Debian stays in its partition, and its files can be read under /data/old-root (--keep-data)';
    case 'wipe':
      return 'once pine is confirmed, Debian is ERASED by itself: from then on there is no way back (--wipe)';
  }
}
