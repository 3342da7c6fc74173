import { LearnedNumbers } from './learned-numbers.ts';

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

/** No base is above this. */
export const maxBtfBase = 0x7fffffff;
export const noBase: BtfBase = { types: 0, names: 0 };
export const noBases: BtfBases = { old: noBase, new: noBase, namesMoved: 0 };

/**
 * What was learned of the numbers in BTF: of the kernel's from one file to the next, since all modules have them; of a module's own in
 * itself. 2 MiB once there is BTF, of which as much is used as there are types and names (S9).
 */
export class BtfMemory {
  readonly kernelTypes = new LearnedNumbers(0, 18);
  readonly kernelNames = new LearnedNumbers(4, 18);
  readonly ownTypes = new LearnedNumbers(0, 12);
  readonly ownNames = new LearnedNumbers(3, 12);
  /** Of the file that is predicted, or was the last one. */
  bases = noBases;

  /** Knows from here on what another one knows of kernels. */
  become(other: BtfMemory): void {
    this.kernelTypes.become(other.kernelTypes);
    this.kernelNames.become(other.kernelNames);
  }
}
