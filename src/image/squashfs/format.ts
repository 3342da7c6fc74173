/**
 * Numbers of the squashfs 4.0 format, and the choices that make a pine image of it.
 *
 * Each is part of pine's image format: changing one changes every image's bytes (docs/image-format.md).
 */

/** Bytes of the superblock; file data begins right behind it. */
export const superblockSize = 96;

/** Data block size and its logarithm. 16 KiB: docs/image-format.md says why. */
export const blockSize = 16384;
export const blockLog = 14;

/** Payload of a metadata block, and what it takes with its two-byte header. */
export const metadataBlockSize = 8192;
export const storedMetadataBlockSize = metadataBlockSize + 2;
export const metadataUncompressed = 0x8000;

/** Set in a data block's length when the block is stored as it is. */
export const dataUncompressed = 0x1000000;

/** Images are padded with zeros to a multiple of this, so that they fill whole device blocks. */
export const imageAlignment = 4096;

/** No fragment, no extended attributes (u32); no such table (u64). */
export const none = 0xffffffff;
export const noTable = 0xffffffffffffffffn;

/** Inode types; the extended forms are 7 more. Directory entries name the basic one. */
export const inodeType = { directory: 1, file: 2, symlink: 3, extended: 7 } as const;

/** A directory's size counts three bytes that are not there ("." and ".." of old). */
export const directorySizeExcess = 3;

/** A directory header speaks for at most this many entries. */
export const maxHeaderEntries = 256;
