import { leastMatch, matchMargin } from './block-format.ts';
import type { BlockWindow } from './block-window.ts';
import { MatchFinder, needsMore } from './match-finder.ts';
import { SequenceOutput } from './sequence-output.ts';

/** A match that another follows closely is cut to what a token holds. */
const shortMatch = 18;
/** Searches begin so far before the end of a match, to find one that lies over it. */
const behindFirst = 2;
const behindSecond = 3;

/**
 * Compresses the blocks that go through a window as `lz4 -9` does, byte for byte. Memory: 256 KiB of chains and a piece of the output;
 * the window is the caller's.
 */
export class BlockCompressor {
  readonly #window: BlockWindow;
  readonly #finder: MatchFinder;
  readonly #output: SequenceOutput;

  constructor(window: BlockWindow) {
    this.#window = window;
    this.#finder = new MatchFinder(window);
    this.#output = new SequenceOutput(window);
  }

  /**
   * The compressed bytes of the block that the window was entered for, in pieces, each good until the next is asked for. `undefined` wherever
   * what is missing in the window is to be added before.
   */
  *compress(): Generator<Uint8Array | undefined> {
    const window = this.#window;
    this.#finder.enter();
    this.#output.enter();
    yield* this.#more();
    if (window.size > matchMargin) yield* this.#matches(window.size - matchMargin);
    while (window.end < window.size) yield* this.#more();
    yield* this.#output.finish();
  }

  *#more(): Generator<undefined> {
    this.#window.makeRoom(this.#output.written);
    yield undefined;
    this.#finder.see();
  }

  /** What `find` of the finder finds in the end. */
  *#findInMore(at: number, low: number, longest: number): Generator<undefined, number> {
    for (;;) {
      yield* this.#more();
      const length = this.#finder.find(at, low, longest);
      if (length !== needsMore) return length;
    }
  }

  /**
   * Up to three matches that lie over each other are looked at before the first is taken: each is the longest that a search
   * near the end of the one before it finds. `last`: where a match may begin at the latest.
   */
  *#matches(last: number): Generator<Uint8Array | undefined> {
    const finder = this.#finder;
    const output = this.#output;
    let at = 0;
    next: while (at <= last) {
      let length = finder.find(at, at, leastMatch - 1);
      if (length === needsMore) length = yield* this.#findInMore(at, at, leastMatch - 1);
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
          const from = at + length - behindFirst;
          secondLength = isRoom ? finder.find(from, at, length) : length;
          if (secondLength === needsMore) secondLength = yield* this.#findInMore(from, at, length);
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
        const from = end - behindSecond;
        let thirdLength = end <= last ? finder.find(from, second, secondLength) : secondLength;
        if (thirdLength === needsMore) {
          thirdLength = yield* this.#findInMore(from, second, secondLength);
        }
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
