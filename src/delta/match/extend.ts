import type { Copy } from './copy-list.ts';

/** Behind so many zeros, more of them say nothing: padding fits anything that is mostly zeros. */
const telling = 16;
/** An extension ends when it has not paid for so many bytes: unlike files would cost quadratic time. */
const patience = 2048;

/**
 * Extends each core into the gaps beside it, as far as at least half of the bytes are equal. Where two
 * meet, the border goes where most bytes are equal. Copies that continue each other are joined.
 */
export function extendCores(old: Uint8Array, bytes: Uint8Array, cores: readonly Copy[]): Copy[] {
  const copies: { newStart: number; oldStart: number; length: number }[] = [];
  for (const core of cores) {
    const last = copies.at(-1);
    const gapStart = last === undefined ? 0 : last.newStart + last.length;
    const room = core.newStart - gapStart;
    let before = extendBackward(old, bytes, core, room);
    if (last !== undefined) {
      const behind = extendForward(old, bytes, last, room);
      const overlap = behind + before - room;
      if (overlap > 0) {
        const kept = splitOverlap(old, bytes, last, core, {
          from: core.newStart - before,
          overlap,
        });
        last.length += behind - overlap + kept;
        before -= kept;
      } else {
        last.length += behind;
      }
      const newEnd = last.newStart + last.length;
      const sameDiagonal = last.oldStart - last.newStart === core.oldStart - core.newStart;
      if (sameDiagonal && newEnd === core.newStart - before) {
        last.length += before + core.length;
        continue;
      }
    }
    copies.push({
      newStart: core.newStart - before,
      oldStart: core.oldStart - before,
      length: core.length + before,
    });
  }
  const last = copies.at(-1);
  if (last !== undefined) {
    const room = bytes.length - last.newStart - last.length;
    last.length += extendForward(old, bytes, last, room);
  }
  return copies;
}

function extendForward(old: Uint8Array, bytes: Uint8Array, copy: Copy, room: number): number {
  const newAt = copy.newStart + copy.length;
  const oldAt = copy.oldStart + copy.length;
  const limit = Math.min(room, old.length - oldAt);
  let best = 0;
  let bestScore = 0;
  let score = 0;
  let zeros = 0;
  for (let offset = 0; offset < limit && offset - best < patience; offset++) {
    const byte = bytes[newAt + offset];
    zeros = byte === 0 ? zeros + 1 : 0;
    if (old[oldAt + offset] !== byte) score--;
    else if (zeros <= telling) score++;
    if (score > bestScore) {
      bestScore = score;
      best = offset + 1;
    }
  }
  return best;
}

function extendBackward(old: Uint8Array, bytes: Uint8Array, copy: Copy, room: number): number {
  const limit = Math.min(room, copy.oldStart);
  let best = 0;
  let bestScore = 0;
  let score = 0;
  let zeros = 0;
  for (let offset = 1; offset <= limit && offset - best < patience; offset++) {
    const byte = bytes[copy.newStart - offset];
    zeros = byte === 0 ? zeros + 1 : 0;
    if (old[copy.oldStart - offset] !== byte) score--;
    else if (zeros <= telling) score++;
    if (score > bestScore) {
      bestScore = score;
      best = offset;
    }
  }
  return best;
}

/** How many of the `overlap` bytes of the new file at `from` the earlier of two copies keeps. */
function splitOverlap(
  old: Uint8Array,
  bytes: Uint8Array,
  earlier: Copy,
  later: Copy,
  { from, overlap }: { readonly from: number; readonly overlap: number },
): number {
  const earlierOld = from + earlier.oldStart - earlier.newStart;
  const laterOld = from + later.oldStart - later.newStart;
  let best = 0;
  let bestScore = 0;
  let score = 0;
  for (let offset = 0; offset < overlap; offset++) {
    const byte = bytes[from + offset];
    if (old[earlierOld + offset] === byte) score++;
    if (old[laterOld + offset] === byte) score--;
    if (score > bestScore) {
      bestScore = score;
      best = offset + 1;
    }
  }
  return best;
}
