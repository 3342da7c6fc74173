/** Bytes that are no gzip, or not of the kind that was expected. */
export class InvalidGzip extends Error {}
