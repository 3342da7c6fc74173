/** Codes for lengths of codes that repeat: the one before, and 0 in two ways. */
const again = { code: 16, least: 3, most: 6, bits: 2 };
const fewZeros = { code: 17, least: 3, most: 10, bits: 3 };
const manyZeros = { code: 18, least: 11, most: 138, bits: 7 };

/** One step of telling the lengths of codes: a code, and `bits` bits behind it. */
export interface LengthStep {
  readonly code: number;
  readonly value: number;
  readonly bits: number;
}

/** How the lengths of a code's symbols, from the first to `last`, are told (RFC 1951, section 3.2.7), as gzip does. */
export function* lengthSteps(lengths: Uint8Array, last: number): Generator<LengthStep> {
  let previous = -1;
  for (let at = 0; at <= last; ) {
    const length = lengths[at] ?? 0;
    const most = mostRepeats(length, previous);
    let count = 1;
    while (count < most && at + count <= last && lengths[at + count] === length) count++;
    yield* stepsOf(length, count, length === previous);
    at += count;
    previous = length;
  }
}

function mostRepeats(length: number, previous: number): number {
  if (length === 0) return manyZeros.most;
  // The first of them is told by itself, unless the one before is the same.
  return length === previous ? again.most : again.most + 1;
}

function* stepsOf(length: number, count: number, isKnown: boolean): Generator<LengthStep> {
  const single = { code: length, value: 0, bits: 0 };
  if (length === 0 && count >= fewZeros.least) {
    const { code, least, bits } = count > fewZeros.most ? manyZeros : fewZeros;
    yield { code, value: count - least, bits };
    return;
  }
  const repeats = isKnown || length === 0 ? count : count - 1;
  if (length === 0 || repeats < again.least) {
    for (let left = count; left > 0; left--) yield single;
    return;
  }
  if (!isKnown) yield single;
  yield { code: again.code, value: repeats - again.least, bits: again.bits };
}
