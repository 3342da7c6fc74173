/**
 * Classes of places that hold a pointer, as bits of a file's mask: a class that does not pay for a
 * file is switched off for it (docs/delta-format.md).
 */
export const pointerClass = {
  call: 1,
  branch: 2,
  operand: 4,
  relocation: 8,
  symbol: 16,
  pointer: 32,
  frameIndex: 64,
  frame: 128,
  table: 256,
  number: 512,
  size: 1024,
  /** In programs that are linked for a fixed address: addresses in code, and in data that is not written to. */
  absolute: 2048,
  constant: 4096,
  /** In kernels: distances from themselves, and a list of all places that hold an address. */
  selfRelative: 8192,
  listed: 16384,
  /** In the types of kernels and modules (BTF): numbers of types, and places of names among the names. */
  btfType: 32768,
  btfName: 65536,
  /** In programs in Go: where functions begin, what is told of them, the numbers of functions, and types. */
  goCode: 1 << 20,
  goTable: 1 << 21,
  goBucket: 1 << 22,
  goType: 1 << 23,
} as const;

const { call, branch, operand, absolute, constant, btfType, btfName } = pointerClass;

/** All bits that a mask may have. */
export const allClasses = Object.values(pointerClass).reduce((mask, bit) => mask | bit, 0);

/** The classes of numbers in types, which are predicted and learned one after the other. */
export const btfClasses = btfType | btfName;

/** The classes whose values tell where their targets are: a target that was predicted wrongly once is predicted rightly from then on. */
export const learningClasses = call | branch | operand | absolute | constant;
