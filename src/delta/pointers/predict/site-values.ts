import { elfHeaderRoom } from '../elf/header.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';
import type { AddressMap } from './address-map.ts';
import type { LearnedTargets } from './learned-targets.ts';
import { decodeTarget, encodeValue } from './pointer-value.ts';
import type { PredictorMemory } from './predictor-memory.ts';

/** Predicts the values of single sites, and learns from what they became where the copies led elsewhere than they should. */
export class SiteValues {
  readonly #addresses: AddressMap;
  readonly #learned: LearnedTargets;
  /** For each site that was predicted last: where the copies lead its target, and what its value is relative to. */
  readonly #mapped: Float64Array;
  readonly #site: Float64Array;
  readonly #base: Float64Array;
  /** And whether its target is memory behind the content of the file. */
  readonly #inMemory: Uint8Array;

  constructor(addresses: AddressMap, memory: PredictorMemory) {
    this.#addresses = addresses;
    this.#learned = memory.learned;
    this.#learned.clear();
    this.#mapped = memory.mapped;
    this.#site = memory.site;
    this.#base = memory.base;
    this.#inMemory = memory.inMemory;
  }

  /** Another number when what was learned since would be predicted otherwise. */
  get learned(): number {
    return this.#learned.changes;
  }

  /** The value of a site whose first byte comes to lie at `offset` of the new file, with the copy `hint`; NaN where nothing can be told. */
  predict(sites: Sites, index: number, offset: number, hint: number): number {
    const form = sites.form[index] ?? 0;
    this.#mapped[index] = Number.NaN;
    if (form === valueForm.number || offset < elfHeaderRoom) return Number.NaN;
    const addresses = this.#addresses;
    const old = sites.target[index] ?? 0;
    const mapped = addresses.find(old, hint);
    if (mapped === undefined) return Number.NaN;
    const { isNear, isMemory } = addresses;
    const known = isMemory ? this.#learned.shiftNear(old) : 0;
    this.#inMemory[index] = isMemory ? 1 : 0;
    const isRelative = form === valueForm.fromBase || form === valueForm.offset12;
    const base = isRelative ? this.#newBase(sites.base[index] ?? 0, hint) : 0;
    const site = isRelative || form === valueForm.address ? 0 : addresses.ofOffset(offset);
    if (base === undefined || site === undefined) return Number.NaN;
    this.#mapped[index] = isNear ? Number.NaN : mapped;
    this.#base[index] = base;
    this.#site[index] = site;
    const target = isNear ? mapped : (this.#learned.find(old) ?? mapped + known);
    return encodeValue(form, sites.extra[index] ?? 0, site, target, base) ?? Number.NaN;
  }

  /** Learns of a site that was predicted last that its value came out as `value`. */
  learn(sites: Sites, index: number, value: number): void {
    const { form, extra, target } = sites;
    const old = target[index] ?? 0;
    const mapped = this.#mapped[index] ?? Number.NaN;
    if (Number.isNaN(mapped)) return;
    const site = this.#site[index] ?? 0;
    const base = this.#base[index] ?? 0;
    const found = decodeTarget(form[index] ?? 0, extra[index] ?? 0, site, base, value, mapped);
    if (found === undefined) return;
    if (this.#inMemory[index] === 1) this.#learned.setShift(old, found - mapped);
    if (found === mapped) this.#learned.forget(old);
    else this.#learned.set(old, found);
  }

  #newBase(address: number, hint: number): number | undefined {
    const mapped = this.#addresses.find(address, hint);
    return this.#addresses.isNear ? mapped : (this.#learned.find(address) ?? mapped);
  }
}
