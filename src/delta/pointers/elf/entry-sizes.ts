/** Bytes of an entry of each kind of table in a 64-bit ELF file. */
export const programHeaderSize = 56;
export const sectionHeaderSize = 64;
export const relocationSize = 24;
export const symbolSize = 24;
