import { byOpcode, follows, immediateSizes, narrow, oneByte, wide } from './opcodes.ts';

const { modrm, byte, word, nothing, prefix } = follows;

/** An instruction: where it ends, and what of it can be a pointer. Positions in the page; -1: it has none. */
export interface Instruction {
  end: number;
  /** A jump or call to where its immediate leads. */
  branch: 'call' | 'condition' | undefined;
  /** A displacement of four bytes. */
  displacement: number;
  /** Whether that is relative to the instruction's end. */
  isRelative: boolean;
  /** An immediate of four bytes. */
  immediate: number;
}

/** Reads the instruction at `start`; what is none has one byte. It may end behind the page. */
export function readInstruction(page: Uint8Array, start: number, into: Instruction): void {
  let at = start;
  let opcode = page[at++] ?? 0;
  let sizes = 0;
  while (oneByte[opcode] === prefix && at < page.length) {
    if (opcode === 0x66) sizes |= narrow;
    opcode = page[at++] ?? 0;
  }
  if ((opcode & 0xf0) === 0x40) {
    if ((opcode & 8) !== 0) sizes |= wide;
    opcode = page[at++] ?? 0;
  }
  let map = 0;
  if (opcode === 0x0f) {
    opcode = page[at++] ?? 0;
    map = opcode === 0x38 ? 2 : opcode === 0x3a ? 3 : 1;
    if (map > 1) opcode = page[at++] ?? 0;
  } else if (opcode === 0xc5 || opcode === 0xc4 || opcode === 0x62) {
    // VEX and EVEX: two, three or four bytes, of which the second may have the map.
    map = opcode === 0xc5 ? 1 : (page[at] ?? 0) & (opcode === 0xc4 ? 31 : 7);
    at += opcode === 0xc5 ? 1 : opcode === 0xc4 ? 2 : 3;
    opcode = page[at++] ?? 0;
  }
  let what = byOpcode[(map > 3 ? 2 : map) * 256 + opcode] ?? 0;
  into.displacement = -1;
  into.immediate = -1;
  into.branch = undefined;
  if ((what & (nothing | prefix)) !== 0) {
    into.end = start + 1;
    return;
  }
  if ((what & modrm) !== 0) {
    const operand = page[at++] ?? 0;
    const mode = operand >> 6;
    // Only the first two of these eight instructions have an immediate.
    if (map === 0 && (opcode & 0xfe) === 0xf6 && (operand & 0x30) === 0) {
      what |= opcode === 0xf6 ? byte : word;
    }
    if (mode !== 3) {
      const hasIndex = (operand & 7) === 4;
      const base = hasIndex ? (page[at++] ?? 0) & 7 : operand & 7;
      if (mode === 1) at++;
      else if (mode === 2 || base === 5) {
        into.displacement = at;
        into.isRelative = mode === 0 && !hasIndex;
        at += 4;
      }
    }
  }
  const size = immediateSizes[what | sizes] ?? 0;
  if (size === 4) {
    into.immediate = at;
    if (map === 0 && (opcode & 0xfe) === 0xe8) into.branch = 'call';
    if (map === 1 && (opcode & 0xf0) === 0x80) into.branch = 'condition';
  }
  into.end = at + size;
}
