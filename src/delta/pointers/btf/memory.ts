import { noBases } from './bases.ts';
import { LearnedNumbers } from './learned-numbers.ts';

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
