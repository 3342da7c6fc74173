import type { PineError } from '../../error.ts';

/** The most characters that a reason has. */
const longest = 400;
/** A checksum, or the name of an object in its folder of two digits; the first twelve tell it from others. */
const checksum = /\b([0-9a-f]{12})[0-9a-f]{50,52}\b/g;

/** Why something is not used, in one line: what was expected, what was found, and where. */
export function reasonOf({ message, details }: PineError): string {
  const { expected, found, where } = details;
  const text = `${message}: expected ${expected}, found ${found} (${where})`
    .replace(checksum, '$1…')
    .replace(/\p{Cc}+/gu, ' ');
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
