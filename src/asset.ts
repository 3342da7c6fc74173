import { readFileSync } from 'node:fs';

/**
 * Reads a text file that ships with pine, by its path in the project: `src/boot/grub/grub.cfg`.
 *
 * Run from its sources, pine reads it from disk. `npm run build` finds every call with a literal
 * path and puts the texts into the bundle in place of this module (scripts/build/assets.ts).
 */
export function readAsset(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}
