import { readFileSync } from 'node:fs';

/** The slot's own GRUB script, `/boot/pine.cfg` of a bootable commit. */
export function pineCfg(): string {
  return readFileSync(new URL('./pine.cfg', import.meta.url), 'utf8');
}
