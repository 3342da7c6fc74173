import { readAsset } from '../../asset.ts';

/** The fixed text of `grub/grub.cfg` on the boot partition: it chooses a slot and nothing else. */
export function grubCfg(): string {
  return readAsset('src/boot/grub/grub.cfg');
}

/**
 * The script inside GRUB's own image, run first: where the slots are, then grub.cfg. When that is
 * missing or ends, the machine starts over after a minute; GRUB's prompt is never reached.
 */
export function earlyCfg(slotA: number, slotB: number): string {
  return `set pine_slot_a=gpt${slotA}
set pine_slot_b=gpt${slotB}
source $prefix/grub.cfg
echo pine: grub.cfg did not boot anything. Restarting in a minute.
sleep 60
reboot
`;
}

/** Modules of GRUB 2.06 that grub.cfg, pine.cfg and the early script need, on both platforms. */
export const grubModules = [
  ...['part_gpt', 'ext2', 'fat', 'squash4', 'normal', 'configfile', 'linux', 'boot', 'loadenv'],
  ...['test', 'true', 'echo', 'regexp', 'probe', 'hashsum', 'gcry_sha256', 'sleep', 'reboot'],
  ...['halt', 'serial', 'terminal'],
] as const;
