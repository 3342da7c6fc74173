import {
  armPage,
  branchDistance,
  lowOf,
  lowScale,
  placeBits,
  placeLow,
  placeSplit,
  splitOf,
} from '../arm64/fields.ts';
import { valueForm } from '../value-form.ts';

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
      return placeBits(extra, (target - site) / 4, 26, 0);
    case valueForm.branch19:
      return placeBits(extra, (target - site) / 4, 19, 5);
    case valueForm.branch14:
      return placeBits(extra, (target - site) / 4, 14, 5);
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
 * The other way round: the target of a value (of an address of eight bytes the lower four). `near` is where it is thought to
 * be: a value that tells only a part of the address means the one nearest to that. `undefined` for an instruction that is another than it was.
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
      return (value ^ extra) & 0xfc000000 ? undefined : site + branchDistance(form, value);
    case valueForm.branch19:
      return (value ^ extra) & 0xff00001f ? undefined : site + branchDistance(form, value);
    case valueForm.branch14:
      return (value ^ extra) & 0xfff8001f ? undefined : site + branchDistance(form, value);
    case valueForm.adr:
      return (value ^ extra) & 0x9f00001f ? undefined : site + splitOf(value);
    case valueForm.adrp: {
      if ((value ^ extra) & 0x9f00001f) return undefined;
      const page = (Math.floor(site / armPage) + splitOf(value)) * armPage;
      return page + (near % armPage);
    }
    default: {
      if ((value ^ extra) & ~(0xfff << 10)) return undefined;
      const low = lowOf(value, lowScale(value) ?? 0);
      if (form === valueForm.offset12) return base + low;
      const distance = (((low - near) % armPage) + armPage) % armPage;
      return near + (distance < armPage / 2 ? distance : distance - armPage);
    }
  }
}

function wholeNumber(value: number): number | undefined {
  return Number.isInteger(value) ? value : undefined;
}
