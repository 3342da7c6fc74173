/** What follows an opcode of x86-64: bits of the tables below. */
export const follows = {
  /** A modrm byte, and what that says. */
  modrm: 1,
  /** An immediate of one byte. */
  byte: 2,
  /** One of four bytes, or of two behind the prefix 66. */
  word: 4,
  /** One of two bytes. */
  half: 8,
  /** One of four bytes, of eight with REX.W, or of two behind the prefix 66. */
  whole: 16,
  /** An address of eight bytes. */
  address: 32,
  /** Not an instruction of a 64-bit program. */
  nothing: 64,
  /** Another byte of prefix. */
  prefix: 128,
} as const;

const { modrm, byte, word, half, whole, address, nothing, prefix } = follows;

/** By opcode, of those of one byte. 40 to 4f (REX), and 0f, 62, c4 and c5, behind which comes another opcode, are told apart before. */
export const oneByte = table([
  [0x00, 0x3f, (opcode) => [modrm, modrm, modrm, modrm, byte, word, nothing, nothing][opcode & 7]],
  [0x50, 0x5f, 0],
  [0x60, 0x61, nothing],
  [0x63, 0x63, modrm],
  [0x64, 0x67, prefix],
  [0x68, 0x68, word],
  [0x69, 0x69, modrm | word],
  [0x6a, 0x6a, byte],
  [0x6b, 0x6b, modrm | byte],
  [0x70, 0x7f, byte],
  [0x80, 0x83, modrm | byte],
  [0x81, 0x81, modrm | word],
  [0x82, 0x82, nothing],
  [0x84, 0x8f, modrm],
  [0x9a, 0x9a, nothing],
  [0xa0, 0xa3, address],
  [0xa8, 0xa8, byte],
  [0xa9, 0xa9, word],
  [0xb0, 0xb7, byte],
  [0xb8, 0xbf, whole],
  [0xc0, 0xc1, modrm | byte],
  [0xc2, 0xc2, half],
  [0xc6, 0xc6, modrm | byte],
  [0xc7, 0xc7, modrm | word],
  [0xc8, 0xc8, half | byte],
  [0xca, 0xca, half],
  [0xcd, 0xcd, byte],
  [0xce, 0xce, nothing],
  [0xd0, 0xd3, modrm],
  [0xd4, 0xd6, nothing],
  [0xd8, 0xdf, modrm],
  [0xe0, 0xe7, byte],
  [0xe8, 0xe9, word],
  [0xea, 0xea, nothing],
  [0xeb, 0xeb, byte],
  [0xf0, 0xf0, prefix],
  [0xf2, 0xf3, prefix],
  [0xf6, 0xf7, modrm],
  [0xfe, 0xff, modrm],
  ...[0x26, 0x2e, 0x36, 0x3e].map((opcode) => [opcode, opcode, prefix] as const),
]);

/** The same for those behind 0f, and for VEX and EVEX. */
const twoByte = table([
  [0x00, 0xff, modrm],
  [0x05, 0x09, 0],
  [0x0b, 0x0b, 0],
  [0x0e, 0x0e, 0],
  [0x30, 0x37, 0],
  [0x70, 0x73, modrm | byte],
  [0x77, 0x77, 0],
  [0x80, 0x8f, word],
  [0xa0, 0xa2, 0],
  [0xa4, 0xa4, modrm | byte],
  [0xa8, 0xaa, 0],
  [0xac, 0xac, modrm | byte],
  [0xba, 0xba, modrm | byte],
  [0xc2, 0xc2, modrm | byte],
  [0xc4, 0xc6, modrm | byte],
  [0xc8, 0xcf, 0],
]);

type Row = readonly [
  from: number,
  to: number,
  what: number | ((opcode: number) => number | undefined),
];

/** Later rows replace what earlier ones say. */
function table(rows: readonly Row[]): Uint8Array {
  const result = new Uint8Array(256);
  for (const [from, to, what] of rows) {
    for (let opcode = from; opcode <= to; opcode++) {
      result[opcode] = (typeof what === 'number' ? what : what(opcode)) ?? 0;
    }
  }
  return result;
}

/** What follows an opcode, by the map that it is of (0: of one byte, 1: behind 0f, 2: 0f 38, 3: 0f 3a) and itself. */
export const byOpcode = Uint8Array.of(
  ...oneByte,
  ...twoByte,
  ...new Uint8Array(256).fill(modrm),
  ...new Uint8Array(256).fill(modrm | byte),
);

/** Beside what follows, in place of `nothing` and `prefix`: whether the prefix 66, or REX.W, stands before. */
export const narrow = 64;
export const wide = 128;

/** How long the immediates are, by what follows and by those two. */
export const immediateSizes = Uint8Array.from({ length: 256 }, (_, what) => {
  let size = 0;
  if ((what & byte) !== 0) size += 1;
  if ((what & half) !== 0) size += 2;
  if ((what & address) !== 0) size += 8;
  if ((what & word) !== 0) size += (what & narrow) !== 0 ? 2 : 4;
  if ((what & whole) !== 0) size += (what & wide) !== 0 ? 8 : (what & narrow) !== 0 ? 2 : 4;
  return size;
});
