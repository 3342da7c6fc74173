/** Bytes that are no LZ4, or not of the kind that was expected. */
export class InvalidLz4 extends Error {}
