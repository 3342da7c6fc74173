import { readAsset } from '../../asset.ts';

/** The fixed text of `grub/grub.cfg` on the boot partition: it chooses a slot and nothing else. */
export function grubCfg(): string {
  return readAsset('src/boot/grub/grub.cfg');
}

export type GrubPlatform = 'i386-pc' | 'x86_64-efi';

/**
 * The script inside GRUB's own image, run first: the console, where the slots are, then grub.cfg. When that is
 * missing or ends, the machine starts over after a minute; GRUB's prompt is never reached.
 */
export function earlyCfg(platform: GrubPlatform, slotA: number, slotB: number): string {
  // UEFI firmware copies its console to the serial port by itself.
  const serial =
    platform === 'i386-pc'
      ? ['serial --unit=0 --speed=115200', 'terminal_output console serial']
      : [];
  return [
    ...serial,
    `set pine_slot_a=gpt${slotA}`,
    `set pine_slot_b=gpt${slotB}`,
    'source $prefix/grub.cfg',
    'echo pine: grub.cfg did not boot anything',
    'echo pine: restarting in a minute',
    'sleep 60',
    'reboot',
    '',
  ].join('\n');
}

/** Modules of GRUB 2.06 that grub.cfg, pine.cfg and the early script need, on both platforms. */
export const grubModules = [
  ...['part_gpt', 'ext2', 'fat', 'squash4', 'normal', 'configfile', 'linux', 'boot', 'loadenv'],
  ...['test', 'true', 'echo', 'regexp', 'probe', 'hashsum', 'gcry_sha256', 'sleep', 'reboot'],
  ...['halt', 'serial', 'terminal', 'bsd'],
] as const;
