import { valueForm } from '../value-form.ts';

/** Instructions of arm64 make addresses of pages of this size, whatever the machine's pages are. */
export const armPage = 4096;

/** Where a jump has its distance; undefined for another instruction. */
export function branchForm(word: number): number | undefined {
  if ((word & 0x7c000000) === 0x14000000) return valueForm.branch26;
  const isConditional = (word & 0xff000010) === 0x54000000;
  if (isConditional || (word & 0x7e000000) === 0x34000000) return valueForm.branch19;
  return (word & 0x7e000000) === 0x36000000 ? valueForm.branch14 : undefined;
}

/** The distance of a jump of that form, in bytes. */
export function branchDistance(form: number, word: number): number {
  if (form === valueForm.branch26) return (word << 6) >> 4;
  return form === valueForm.branch19 ? ((word << 8) >> 13) << 2 : ((word << 13) >> 18) << 2;
}

/** By how many bits the immediate is moved of an instruction that adds to an address (ADD), loads or stores; else undefined. */
export function lowScale(word: number): number | undefined {
  if ((word & 0xffc00000) >>> 0 === 0x91000000) return 0;
  if ((word & 0x3b000000) !== 0x39000000) return undefined;
  const isSixteenBytes = (word & 0x04800000) === 0x04800000 && word >>> 30 === 0;
  return isSixteenBytes ? 4 : word >>> 30;
}

/** The immediate of such an instruction, in bytes. */
export function lowOf(word: number, scale: number): number {
  return ((word >>> 10) & 0xfff) << scale;
}

/** The distance in an ADR or ADRP, which has its two lowest bits apart from the others. */
export function splitOf(word: number): number {
  return (((word << 8) >> 13) << 2) | ((word >>> 29) & 3);
}

/** Puts that distance into one; `undefined` when there is no room for it. */
export function placeSplit(word: number, value: number): number | undefined {
  if (!fits(value, 21)) return undefined;
  return (word & ~0x60ffffe0) | ((value & 3) << 29) | (((value >> 2) & 0x7ffff) << 5);
}

/** Puts a signed number into `bits` bits of a word, from bit `at` on; `undefined` when there is no room for it. */
export function placeBits(
  word: number,
  value: number,
  bits: number,
  at: number,
): number | undefined {
  if (!Number.isInteger(value) || !fits(value, bits)) return undefined;
  const mask = (1 << bits) - 1;
  return (word & ~(mask << at)) | ((value & mask) << at);
}

/** Puts an immediate in bytes into an instruction that adds, loads or stores; `undefined` when it can't have that. */
export function placeLow(word: number, value: number): number | undefined {
  const low = value / (1 << (lowScale(word) ?? 0));
  if (!Number.isInteger(low) || low < 0 || low >= 4096) return undefined;
  return (word & ~(0xfff << 10)) | (low << 10);
}

function fits(value: number, bits: number): boolean {
  const half = 1 << (bits - 1);
  return value >= -half && value < half;
}
