import { readAsset } from '../../asset.ts';

/** The fixed text of `grub/grub.cfg` on the boot partition: it chooses a slot and nothing else. */
export function grubCfg(): string {
  return readAsset('src/boot/grub/grub.cfg');
}

export type GrubPlatform = 'i386-pc' | 'x86_64-efi';

/** A system that was taken over and is kept (docs/hijack.md). */
export interface PreviousSystem {
  /** The number of its root partition, in the table that there was and in the GPT that is made. */
  readonly partition: number;
  readonly table: 'mbr' | 'gpt';
  /** The folder with the installer's kernel and initramfs on it. */
  readonly installer: string;
  readonly installerArguments: string;
}

/**
 * The script inside GRUB's own image, run first: the console, where the slots are, then grub.cfg. When that is
 * missing or ends, the machine starts over after a minute; GRUB's prompt is never reached.
 *
 * It is run by GRUB's rescue parser: one command a line, and one that fails does not end it. With a
 * `previous` system: as long as the table is its own, there is no boot partition, and the installer is started.
 */
export function earlyCfg(
  platform: GrubPlatform,
  slotA: number,
  slotB: number,
  previous?: PreviousSystem,
): string {
  // UEFI firmware copies its console to the serial port by itself.
  const serial =
    platform === 'i386-pc'
      ? ['serial --unit=0 --speed=115200', 'terminal_output console serial']
      : [];
  return [
    ...serial,
    `set pine_slot_a=gpt${slotA}`,
    `set pine_slot_b=gpt${slotB}`,
    ...(previous === undefined ? [] : [`set pine_previous=gpt${previous.partition}`]),
    'source $prefix/grub.cfg',
    ...(previous === undefined ? [] : startInstaller(previous)),
    'echo pine: grub.cfg did not boot anything',
    'echo pine: restarting in a minute',
    'sleep 60',
    'reboot',
    '',
  ].join('\n');
}

function startInstaller(previous: PreviousSystem): string[] {
  const { partition, table, installer, installerArguments } = previous;
  const kind = table === 'mbr' ? 'msdos' : 'gpt';
  const folder = `($pine_disk,${kind}${partition})${installer}`;
  return [
    "regexp --set=1:pine_disk '^([^,]*),' $root",
    `linux ${folder}/vmlinuz ${installerArguments} pine.stage=writing`,
    `initrd ${folder}/initramfs`,
    'boot',
  ];
}

/** Modules of GRUB 2.06 that grub.cfg, pine.cfg and the early script need, on both platforms. */
export const grubModules = [
  ...['part_gpt', 'ext2', 'fat', 'squash4', 'normal', 'configfile', 'linux', 'boot', 'loadenv'],
  ...['test', 'true', 'echo', 'regexp', 'probe', 'hashsum', 'gcry_sha256', 'sleep', 'reboot'],
  ...['halt', 'serial', 'terminal', 'bsd'],
] as const;

/**
 * What a take-over needs besides: the table that was there before, and what the old system's grub.cfg finds its root by,
 * since the name that it has for that (hd0,msdos1) is gone with the table.
 */
export const takeOverModules = ['part_msdos', 'search', 'search_fs_uuid'] as const;
