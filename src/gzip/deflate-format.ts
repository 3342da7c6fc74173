/** Numbers of the deflate format (RFC 1951) that everything here shares. */
export const leastMatch = 3;
export const longestMatch = 258;
/** How far back the format lets a match lie. */
export const historySize = 32768;
/** The symbol that ends a block; those of lengths follow. */
export const endOfBlock = 256;
export const lengthCodes = 29;
export const literalCodes = endOfBlock + 1 + lengthCodes;
export const distanceCodes = 30;
/** Codes that the lengths of codes are written in, and the order in which the lengths of these are written. */
export const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Kinds of blocks. */
export const blockKind = { stored: 0, fixed: 1, dynamic: 2 } as const;

/** Bits that follow each code of a length, and of a distance. */
export const lengthExtra = Uint8Array.from({ length: lengthCodes }, (_, code) =>
  code < 8 || code === lengthCodes - 1 ? 0 : (code >> 2) - 1,
);
export const distanceExtra = Uint8Array.from({ length: distanceCodes }, (_, code) =>
  code < 4 ? 0 : (code >> 1) - 1,
);

/** The first length of each code, less `leastMatch`, and the first distance, less 1. */
export const lengthBase = bases(lengthExtra);
export const distanceBase = bases(distanceExtra);
// The longest match has a code of its own, which nothing follows.
lengthBase[lengthCodes - 1] = longestMatch - leastMatch;

/** The code of each length, less `leastMatch`. */
export const lengthCode = new Uint8Array(longestMatch - leastMatch + 1);
/** The code of each distance, less 1. */
export const distanceCode = new Uint8Array(historySize);
fillCodes(lengthCode, lengthBase);
fillCodes(distanceCode, distanceBase);

/** Bits of the fixed codes: of literals and lengths (two of which are never used), and of distances. */
export const fixedLiteralBits = Uint8Array.from({ length: literalCodes + 2 }, (_, code) => {
  if (code < 144) return 8;
  if (code < 256) return 9;
  return code < 280 ? 7 : 8;
});
export const fixedDistanceBits = new Uint8Array(distanceCodes).fill(5);

function bases(extra: Uint8Array): Uint16Array {
  const base = new Uint16Array(extra.length);
  for (let code = 1; code < extra.length; code++) {
    base[code] = (base[code - 1] ?? 0) + (1 << (extra[code - 1] ?? 0));
  }
  return base;
}

function fillCodes(codes: Uint8Array, base: Uint16Array): void {
  base.forEach((first, code) => {
    codes.fill(code, first);
  });
}
