import { closeSync, openSync, readSync } from 'node:fs';
import fc from 'fast-check';

/** Content of what compressors tell apart: noise, runs, repeats near and far, and changed repeats. */
export const contentParts = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('noise'), length: fc.nat(300), byte: fc.nat(3) }),
    fc.record({ kind: fc.constant('run'), length: fc.nat(700), byte: fc.nat(2) }),
    fc.record({ kind: fc.constant('repeat'), length: fc.nat(400), byte: fc.nat(70_000) }),
    fc.record({
      kind: fc.constant('far'),
      length: fc.integer({ min: 60_000, max: 70_000 }),
      byte: fc.nat(255),
    }),
  ),
  { maxLength: 40 },
);

/** What such parts are together. */
export function contentOf(
  parts: readonly { kind: string; length: number; byte: number }[],
): Buffer {
  let content = Buffer.alloc(0);
  let state = 1;
  for (const { kind, length, byte } of parts) {
    let next = Buffer.alloc(length, byte);
    if (kind === 'noise') {
      // Few values make many short matches.
      const values = byte === 3 ? 256 : byte + 2;
      for (let at = 0; at < length; at++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        next[at] = (state >>> 16) % values;
      }
    } else if (kind === 'repeat') {
      const from = Math.max(0, content.length - byte - 1);
      next = Buffer.from(content.subarray(from, from + length));
    }
    content = Buffer.concat([content, next]);
  }
  return content;
}

/** Bytes from the beginning of a file. */
export function start(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(path, 'r');
  readSync(file, bytes, 0, length, 0);
  closeSync(file);
  return bytes;
}
