import { type Readable, SlotFiller } from './slot-filler.ts';
import type { Slot, Threads } from './threads.ts';
import { blockSize, type Step, type StoredContent } from './work.ts';

/** What is to be done with a content besides hashing it after a prefix. */
export interface ContentJob {
  readonly prefix: Uint8Array;
  readonly store?: Omit<StoredContent, 'offset' | 'length'>;
  /** Told the digest, in no order. What it throws ends the whole. */
  readonly done: (digest: string) => void;
}

/**
 * Hashes (and stores) many contents on threads, while the next ones are read. A slot holds many small
 * ones, or a part of a large one.
 */
export class Contents {
  readonly #threads: Threads;
  readonly #filler: SlotFiller;
  /** The hash of all bytes, in order. */
  readonly #whole: number | undefined;
  readonly #running = new Set<Promise<void>>();
  #stream: number;
  #steps: Step[] = [];
  #done: ContentJob['done'][] = [];
  #failure: unknown;

  /** `whole`: all bytes together are hashed too. */
  constructor(threads: Threads, { whole = false } = {}) {
    this.#threads = threads;
    this.#whole = whole ? threads.stream() : undefined;
    this.#stream = threads.stream();
    this.#filler = new SlotFiller(threads, (slot, filled) => this.#send(slot, filled));
  }

  /** Whether a content of so many bytes can be stored: others are not in one slot. */
  static fits(size: number): boolean {
    return size <= blockSize;
  }

  /** Reads a content and hands it over. Throws as the content does, and what failed before. */
  async add(content: Readable, size: number, { prefix, store, done }: ContentJob): Promise<void> {
    this.#throwFailure();
    if (this.#whole === undefined) await this.#filler.reserve(Contents.fits(size) ? size : 0);
    else await this.#filler.room();
    this.#steps.push({ kind: 'begin', prefix });
    const offset = this.#filler.filled;
    await this.#filler.read(content, (at, added) => {
      this.#steps.push({ kind: 'add', offset: at, length: added });
    });
    const end = store && { ...store, offset, length: this.#filler.filled - offset };
    this.#steps.push({ kind: 'end', ...(end === undefined ? {} : { store: end }) });
    this.#done.push(done);
  }

  /** Adds bytes that belong to the whole only. */
  async addBytes(bytes: Uint8Array): Promise<void> {
    await this.#filler.put(bytes, () => {});
  }

  /** Waits until everything is done; gives the digest of the whole. Throws what failed. */
  async finish(): Promise<string | undefined> {
    this.#filler.flush();
    await Promise.all(this.#running);
    this.#throwFailure();
    if (this.#whole === undefined) return undefined;
    const slot = await this.#threads.slot();
    return this.#hash(slot, this.#whole, [{ kind: 'end' }])
      .then(([digest]) => digest)
      .finally(() => this.#threads.giveBack(slot));
  }

  #send(slot: Slot, filled: number): void {
    const [steps, done] = [this.#steps, this.#done];
    this.#steps = [];
    this.#done = [];
    const work = [this.#hash(slot, this.#stream, steps)];
    // A content that goes on in the next slot stays where its hash is.
    if (steps.at(-1)?.kind === 'end') this.#stream = this.#threads.stream();
    if (this.#whole !== undefined) {
      work.push(this.#hash(slot, this.#whole, [{ kind: 'add', offset: 0, length: filled }]));
    }
    const followed: Promise<void> = Promise.all(work)
      .then(([digests = []]) => {
        for (const [index, each] of done.entries()) each(digests[index] ?? '');
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#threads.giveBack(slot);
        this.#running.delete(followed);
      });
    this.#running.add(followed);
  }

  async #hash(slot: Slot, stream: number, steps: readonly Step[]): Promise<readonly string[]> {
    const task = { kind: 'hash', slot: slot.index, stream, steps } as const;
    return (await this.#threads.run(task)) as readonly string[];
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
