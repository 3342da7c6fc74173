/** Numbers of the delta file's format: docs/delta-format.md. */
export const deltaMagic = Buffer.from('PINEDLTA');
/** A delta says the lowest that has all that it uses: machines whose pinectl is older can take it. */
export const deltaVersions = { oldest: 3, zlib: 4 } as const;
export const newestVersion = deltaVersions.zlib;

/** Bytes of the header before the hashes of the pieces. */
export const fixedHeaderSize = 248;
/** Bounds the header, and so the hashes that are in memory (S9). */
export const maxHeaderSize = 4 << 20;
/** Compressed bytes of a stream that have a hash together. The last piece of a stream is shorter. */
export const pieceSize = 65536;
export const hashSize = 32;
export const maxSignatures = 16;

/** The streams, in the order of the file. */
export const streamNames = ['plan', 'control', 'runs', 'differences', 'literals'] as const;
export type StreamName = (typeof streamNames)[number];

/** How a stream is compressed; the header has its place in this list. */
export const compressions = ['brotli', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

/** Kinds of items in the plan stream. */
export const itemKind = { literal: 0, extent: 1, patch: 2, zeros: 3, recompressed: 4 } as const;

/** Numbers of the codecs that content is compressed again with. */
export const codecNumber = { lz4Legacy: 1, gzipBody: 2 } as const;

/** The longest new file, and the longest part of the old image, that one patch is about. */
export const maxPatchSize = 256 << 20;
/** What is compressed again has at most so many times the bytes that it is compressed to. */
export const mostExpansion = 16;
/** More copies in one patch would take too much of a small machine's memory (S9). */
export const maxCopies = 2 ** 18;
/** Tables of points that one delta has at most. */
export const maxTables = 64;
/** What a table of points may be, the least and the most: bounds the memory of a row, and the time for each byte (S9). */
export const tableBounds = {
  width: [16, 72],
  rowPoints: [16, 1024],
  gap: [0, 4096],
  doublings: [1, 16],
} as const;
/** The longest row of points, without what is behind it. */
export const maxRowSize = 128 << 10;
/** Logarithm of the largest window that a stream is compressed with, which a decoder needs for each; in a full delta only one is long. */
const windowBits = { full: 22, usual: 20 } as const;

/** The largest window of a delta from an image of so many bytes. */
export function mostWindowBits(oldSize: number): number {
  return oldSize > 0 ? windowBits.usual : windowBits.full;
}
