import { leastMatch, matchMargin } from './block-format.ts';
import { MatchFinder } from './match-finder.ts';
import { SequenceOutput } from './sequence-output.ts';

/** A match that another follows closely is cut to what a token holds. */
const shortMatch = 18;
/** Searches begin so far before the end of a match, to find one that lies over it. */
const behindFirst = 2;
const behindSecond = 3;

/**
 * Compresses blocks as `lz4 -9` does, byte for byte. Memory: 256 KiB of chains and a piece of the output; the block is
 * the caller's.
 */
export class BlockCompressor {
  readonly #finder = new MatchFinder();
  readonly #output = new SequenceOutput();

  /** The compressed bytes of a block in pieces, each good until the next is asked for. */
  *compress(block: Uint8Array): Generator<Uint8Array> {
    this.#finder.enter(block);
    this.#output.enter(block);
    if (block.length > matchMargin) yield* this.#matches(block.length - matchMargin);
    yield* this.#output.finish();
  }

  /**
   * Up to three matches that lie over each other are looked at before the first is taken: each is the longest that a search
   * near the end of the one before it finds. `last`: where a match may begin at the latest.
   */
  *#matches(last: number): Generator<Uint8Array> {
    const finder = this.#finder;
    const output = this.#output;
    let at = 0;
    next: while (at <= last) {
      let length = finder.find(at, at, leastMatch - 1);
      if (length < leastMatch) {
        at++;
        continue;
      }
      let match = finder.match;
      // The first match as it was, in case that too much of it is skipped.
      let [kept, keptMatch, keptLength] = [at, match, length];
      let [second, secondMatch, secondLength] = [0, 0, 0];
      let isSecondFound = false;
      for (;;) {
        if (!isSecondFound) {
          const isRoom = at + length <= last;
          secondLength = isRoom ? finder.find(at + length - behindFirst, at, length) : length;
          if (secondLength === length) {
            if (output.put(at, match, length)) yield* output.take();
            at += length;
            continue next;
          }
          second = finder.start;
          secondMatch = finder.match;
          if (kept < at && second < at + keptLength) {
            at = kept;
            match = keptMatch;
            length = keptLength;
          }
          if (second - at < 3) {
            at = second;
            match = secondMatch;
            length = secondLength;
            continue;
          }
          isSecondFound = true;
        }
        if (second - at < shortMatch) {
          const wanted = Math.min(length, shortMatch);
          const most = second - at + secondLength - leastMatch;
          const cut = Math.min(wanted, most) - (second - at);
          if (cut > 0) {
            second += cut;
            secondMatch += cut;
            secondLength -= cut;
          }
        }
        const end = second + secondLength;
        const thirdLength =
          end <= last ? finder.find(end - behindSecond, second, secondLength) : secondLength;
        if (thirdLength === secondLength) {
          if (output.put(at, match, Math.min(length, second - at))) yield* output.take();
          if (output.put(second, secondMatch, secondLength)) yield* output.take();
          at = second + secondLength;
          continue next;
        }
        const third = finder.start;
        const thirdMatch = finder.match;
        if (third < at + length + 3 && third < at + length) {
          // No room for the second.
          [second, secondMatch, secondLength] = [third, thirdMatch, thirdLength];
          continue;
        }
        if (third < at + length + 3) {
          // Hardly room for the second: the third becomes the first.
          const over = Math.max(0, at + length - second);
          second += over;
          secondMatch += over;
          secondLength -= over;
          if (over > 0 && secondLength < leastMatch) {
            [second, secondMatch, secondLength] = [third, thirdMatch, thirdLength];
          }
          if (output.put(at, match, length)) yield* output.take();
          [kept, keptMatch, keptLength] = [second, secondMatch, secondLength];
          [at, match, length] = [third, thirdMatch, thirdLength];
          isSecondFound = false;
          continue;
        }
        if (second < at + length) {
          if (second - at < shortMatch) {
            const most = second - at + secondLength - leastMatch;
            length = Math.min(length, shortMatch, most);
            const cut = length - (second - at);
            if (cut > 0) {
              second += cut;
              secondMatch += cut;
              secondLength -= cut;
            }
          } else {
            length = second - at;
          }
        }
        if (output.put(at, match, length)) yield* output.take();
        [at, match, length] = [second, secondMatch, secondLength];
        [second, secondMatch, secondLength] = [third, thirdMatch, thirdLength];
      }
    }
  }
}
