import { readAsset } from '../../asset.ts';

/** The slot's own GRUB script, `/boot/pine.cfg` of a bootable commit. */
export function pineCfg(): string {
  return readAsset('src/boot/grub/pine.cfg');
}
