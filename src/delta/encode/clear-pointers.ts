import { encodeValue } from '../pointers/pointer-value.ts';
import { byteOf } from '../pointers/predictor.ts';
import type { SiteSource } from '../pointers/site-finder.ts';
import { pageSize, Sites, valueForm } from '../pointers/sites.ts';

/** Sets every pointer of a file to zero: what is left is the same wherever a linker put it. */
export function clearPointers(file: Uint8Array, finder: SiteSource): void {
  const sites = new Sites();
  for (let start = 0; start < file.length; start += pageSize) {
    finder.find(file.subarray(start, start + pageSize), start, sites);
    for (let index = 0; index < sites.count; index++) {
      const form = sites.form[index] ?? 0;
      const instruction = sites.extra[index] ?? 0;
      const isInstruction = form >= valueForm.branch26;
      const value = (isInstruction && encodeValue(form, instruction, 0, 0, 0)) || 0;
      const at = start + (sites.at[index] ?? 0);
      for (let byte = 0; byte < (sites.width[index] ?? 0); byte++) {
        file[at + byte] = byteOf(value, byte);
      }
    }
  }
}
