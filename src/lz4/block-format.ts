/** Numbers of LZ4's block format that compressing and decompressing share. */
export const leastMatch = 4;
/** How far back a match may lie. */
export const longestDistance = 65535;
/** A block's last bytes are literals, so many at least. */
export const lastLiterals = 5;
/** The last match begins at least so many bytes before the block's end. */
export const matchMargin = 12;
/** A length of so much in a token goes on in the bytes behind it. */
export const openLength = 15;
