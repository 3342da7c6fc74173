/** How many types, and bytes of names, of a kernel's BTF a module's own go on from; 0 in a kernel itself. */
export interface BtfBase {
  readonly types: number;
  readonly names: number;
}

/** Those of an old file and of the new one. */
export interface BtfBases {
  readonly old: BtfBase;
  readonly new: BtfBase;
  /** How far the place in the file went up at which the names begin. */
  readonly namesMoved: number;
}

/** No number that a base has is above this. */
export const maxBtfBase = 0x7fffffff;
/** The base of a kernel's own. */
export const noBase: BtfBase = { types: 0, names: 0 };
/** Before the first file with types. */
export const noBases: BtfBases = { old: noBase, new: noBase, namesMoved: 0 };
