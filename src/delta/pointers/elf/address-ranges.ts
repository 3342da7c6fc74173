import type { AddressRange } from '../page-part.ts';
import type { Elf } from './elf.ts';

/** Where what pointers lead to lies in a file's memory. */
export interface AddressRanges {
  readonly all: AddressRange;
  /** From the first section of code to the last, and each by itself: in a kernel there is data between them. */
  readonly code: AddressRange;
  readonly codeSections: readonly AddressRange[];
  /**
   * What an absolute address may lead to, in a program that is linked for a fixed address. Tables of symbols and names lie before
   * code, and look like text.
   */
  readonly fixed: AddressRange | undefined;
}

/** The ranges of a file. */
export function addressRanges({ sections, segments, isFixed }: Elf): AddressRanges {
  const codeSections = sections
    .filter(({ kind }) => kind === 'code')
    .map(({ address, size }) => ({ from: address, to: address + size }));
  const code = span(codeSections);
  const memory = segments.map(({ address, memorySize }) => ({
    from: address,
    to: address + memorySize,
  }));
  // A kernel has also what is copied for each processor, as if it were at address 0.
  const ofKernel = memory.filter(({ from }) => from < 0);
  const all = span(ofKernel.length > 0 ? ofKernel : memory);
  return { all, code, codeSections, fixed: isFixed ? { from: code.from, to: all.to } : undefined };
}

function span(ranges: readonly AddressRange[]): AddressRange {
  return {
    from: Math.min(...ranges.map(({ from }) => from)),
    to: Math.max(...ranges.map(({ to }) => to)),
  };
}
