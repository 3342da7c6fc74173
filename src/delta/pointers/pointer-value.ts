import { valueForm } from './sites.ts';

/** Instructions of arm64 make addresses of pages of this size, whatever the machine's pages are. */
export const armPage = 4096;

/**
 * The value at `site` that leads to `target`. For an instruction of arm64, `extra` is what it was: only the bits
 * that mean the target are others. `undefined` when they can't.
 */
export function encodeValue(
  form: number,
  extra: number,
  site: number,
  target: number,
  base: number,
): number | undefined {
  switch (form) {
    case valueForm.address:
      return target;
    case valueForm.fromSite:
      return target - site - extra;
    case valueForm.toSite:
      return site - target;
    case valueForm.fromBase:
      return wholeNumber((target - base) / extra);
    case valueForm.branch26:
      return place(extra, (target - site) / 4, 26, 0);
    case valueForm.branch19:
      return place(extra, (target - site) / 4, 19, 5);
    case valueForm.branch14:
      return place(extra, (target - site) / 4, 14, 5);
    case valueForm.adr:
      return placeSplit(extra, target - site);
    case valueForm.adrp:
      return placeSplit(extra, Math.floor(target / armPage) - Math.floor(site / armPage));
    case valueForm.low12:
      return placeLow(extra, target % armPage);
    default:
      return placeLow(extra, target - base);
  }
}

/**
 * The target of a value (of an address of eight bytes the lower four), the other way round. `near` is where it is thought to be: a value that tells only a part
 * of the address means the one nearest to that. `undefined` for an instruction that is another than it was.
 */
export function decodeTarget(
  form: number,
  extra: number,
  site: number,
  base: number,
  value: number,
  near: number,
): number | undefined {
  switch (form) {
    case valueForm.address:
      // A kernel's are below 0.
      return near < 0 ? value | 0 : value >>> 0;
    case valueForm.fromSite:
      return site + extra + value;
    case valueForm.toSite:
      return site - value;
    case valueForm.fromBase:
      return base + value * extra;
    case valueForm.branch26:
      return (value ^ extra) & 0xfc000000 ? undefined : site + ((value << 6) >> 4);
    case valueForm.branch19:
      return (value ^ extra) & 0xff00001f ? undefined : site + (((value << 8) >> 13) << 2);
    case valueForm.branch14:
      return (value ^ extra) & 0xfff8001f ? undefined : site + (((value << 13) >> 18) << 2);
    case valueForm.adr:
      return (value ^ extra) & 0x9f00001f ? undefined : site + splitOf(value);
    case valueForm.adrp: {
      if ((value ^ extra) & 0x9f00001f) return undefined;
      const page = (Math.floor(site / armPage) + splitOf(value)) * armPage;
      return page + (near % armPage);
    }
    default: {
      if ((value ^ extra) & ~(0xfff << 10)) return undefined;
      const low = ((value >>> 10) & 0xfff) * 2 ** (lowScale(value) ?? 0);
      if (form === valueForm.offset12) return base + low;
      const distance = (((low - near) % armPage) + armPage) % armPage;
      return near + (distance < armPage / 2 ? distance : distance - armPage);
    }
  }
}

/** By how many bits the immediate is moved of an instruction that adds to an address (ADD), loads or stores; else undefined. */
export function lowScale(word: number): number | undefined {
  if ((word & 0xffc00000) >>> 0 === 0x91000000) return 0;
  if ((word & 0x3b000000) !== 0x39000000) return undefined;
  const isSixteenBytes = (word & 0x04800000) === 0x04800000 && word >>> 30 === 0;
  return isSixteenBytes ? 4 : word >>> 30;
}

/** The distance in an ADR or ADRP, which has its two lowest bits apart from the others. */
export function splitOf(word: number): number {
  return (((word << 8) >> 13) << 2) | ((word >>> 29) & 3);
}

function placeSplit(word: number, value: number): number | undefined {
  if (!fits(value, 21)) return undefined;
  return (word & ~0x60ffffe0) | ((value & 3) << 29) | (((value >> 2) & 0x7ffff) << 5);
}

/** Puts a signed number into `bits` bits of a word, from bit `at` on. */
function place(word: number, value: number, bits: number, at: number): number | undefined {
  if (!Number.isInteger(value) || !fits(value, bits)) return undefined;
  const mask = 2 ** bits - 1;
  return (word & ~(mask << at)) | ((value & mask) << at);
}

function placeLow(word: number, value: number): number | undefined {
  const low = value / 2 ** (lowScale(word) ?? 0);
  if (!Number.isInteger(low) || low < 0 || low >= 4096) return undefined;
  return (word & ~(0xfff << 10)) | (low << 10);
}

function wholeNumber(value: number): number | undefined {
  return Number.isInteger(value) ? value : undefined;
}

function fits(value: number, bits: number): boolean {
  return value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);
}
