import { pointerClass, type Sites, valueForm } from './sites.ts';

/** A range of addresses that targets must lie in. */
export interface AddressRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Looks for pointers in x86-64 code without knowing where instructions begin: calls and jumps, jumps on
 * conditions, and operands relative to the instruction pointer. What leads nowhere is passed over, so
 * that a wrong guess is rare; it costs a few bytes of difference and nothing else.
 */
export function findCodeSites(
  page: Uint8Array,
  { from, to, address }: { readonly from: number; readonly to: number; readonly address: number },
  { code, all }: { readonly code: AddressRange; readonly all: AddressRange },
  sites: Sites,
): void {
  for (let at = from; at + 6 <= to; ) {
    const byte = page[at] ?? 0;
    const next = page[at + 1] ?? 0;
    const here = address + at - from;
    if ((byte & 0xfe) === 0xe8) {
      const target = here + 5 + int32(page, at + 1);
      if (target >= code.from && target < code.to) {
        sites.add(at + 1, pointerClass.call, valueForm.fromSite, target, 4);
        at += 5;
        continue;
      }
    } else if (byte === 0x0f && (next & 0xf0) === 0x80) {
      const target = here + 6 + int32(page, at + 2);
      if (target >= code.from && target < code.to) {
        sites.add(at + 2, pointerClass.branch, valueForm.fromSite, target, 4);
        at += 6;
        continue;
      }
    } else if ((next & 0xc7) === 5) {
      const immediate = immediateLength(page, at, from, next);
      const target = here + 6 + immediate + int32(page, at + 2);
      if (immediate >= 0 && target >= all.from && target < all.to) {
        sites.add(at + 2, pointerClass.operand, valueForm.fromSite, target, 4 + immediate);
        at += 6 + immediate;
        continue;
      }
    }
    at++;
  }
}

export function int32(page: Uint8Array, at: number): number {
  return (
    (page[at] ?? 0) |
    ((page[at + 1] ?? 0) << 8) |
    ((page[at + 2] ?? 0) << 16) |
    ((page[at + 3] ?? 0) << 24)
  );
}

/** Bytes that follow the displacement of the instruction whose opcode is at `at`; -1: it has none. */
function immediateLength(page: Uint8Array, at: number, from: number, modrm: number): number {
  const opcode = page[at] ?? 0;
  const isTwoByte =
    (at - 1 >= from && page[at - 1] === 0x0f) ||
    (at - 2 >= from && page[at - 2] === 0xc5) ||
    (at - 3 >= from && page[at - 3] === 0xc4);
  if (isTwoByte) return twoByteWithImmediate.has(opcode) ? 1 : 0;
  const isTest = (modrm & 0x30) === 0;
  if (opcode === 0xf6) return isTest ? 1 : 0;
  if (opcode === 0xf7) return isTest ? 4 : 0;
  return oneByte[opcode] ?? -1;
}

const twoByteWithImmediate = new Set([
  0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6,
]);

/** By opcode: the length of the immediate of an instruction with a modrm byte; -1: not one. */
const oneByte = makeOneByteTable();

function makeOneByteTable(): Int8Array {
  const table = new Int8Array(256).fill(-1);
  // Arithmetic, between a register and an operand.
  for (let opcode = 0; opcode < 0x40; opcode++) if ((opcode & 4) === 0) table[opcode] = 0;
  for (let opcode = 0x84; opcode <= 0x8b; opcode++) table[opcode] = 0;
  for (let opcode = 0xd0; opcode <= 0xd3; opcode++) table[opcode] = 0;
  for (let opcode = 0xd8; opcode <= 0xdf; opcode++) table[opcode] = 0;
  for (const opcode of [0x63, 0x8d, 0x8f, 0xfe, 0xff]) table[opcode] = 0;
  for (const opcode of [0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6]) table[opcode] = 1;
  for (const opcode of [0x69, 0x81, 0xc7]) table[opcode] = 4;
  return table;
}
