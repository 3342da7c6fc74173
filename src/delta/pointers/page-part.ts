/** The part of a page that a section covers: bytes `from` to `to` of the page, the first at `address`. */
export interface PagePart {
  readonly from: number;
  readonly to: number;
  readonly address: number;
  /** Bytes of the section before the part. */
  readonly before: number;
}

/** Where in the page the first entry begins that is not wholly before the part; may be before it. */
export function firstEntry({ from, before }: PagePart, size: number): number {
  return from - (before % size);
}

/** A range of addresses that targets must lie in. */
export interface AddressRange {
  readonly from: number;
  readonly to: number;
}

/** Whether an address is in a range. */
export function isIn({ from, to }: AddressRange, address: number): boolean {
  return address >= from && address < to;
}
