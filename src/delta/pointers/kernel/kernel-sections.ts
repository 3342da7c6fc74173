import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import { type BtfLayout, readBtfLayout } from '../btf/layout.ts';
import type { Section } from '../elf/elf.ts';

/** Of a kernel's data the first section that has types: only these are looked at in it. */
export async function takeKernelTypes(
  file: PositionedReader,
  sections: Section[],
): Promise<BtfLayout | undefined> {
  for (const [index, section] of sections.entries()) {
    if (section.kind !== 'kernel-data') continue;
    const btf = await readBtfLayout(file, section);
    if (btf === undefined) continue;
    sections[index] = { kind: 'btf', ...btf.types, address: section.address };
    return btf;
  }
  return undefined;
}

/** Behind a kernel's section headers lie the places of all its addresses, for when it is loaded elsewhere. */
export function addressList(offset: number, end: number): Section[] {
  return offset < end ? [{ kind: 'address-list', offset, size: end - offset, address: 0 }] : [];
}
