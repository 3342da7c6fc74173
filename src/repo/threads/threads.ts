import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Answer, performer, slotSize, type Task } from './work.ts';

/** Reading and naming files is one thread's work, and each takes some 14 MB: with three a commit stays below 200 MB (S9). */
const mostThreads = 3;
/** Less than this is done sooner than threads have started. Bytes. */
const worthThreads = 16 * 1024 * 1024;
/** Slots that may wait, half filled, for more: those of all who share the threads. */
const halfFilled = 4;

/** A piece of shared memory that is filled by one thread and worked on by another. */
export interface Slot {
  readonly index: number;
  readonly bytes: Buffer;
}

/** Threads that hash and deflate what is put into slots. What they hold is bounded by the slots (S9). */
export class Threads {
  readonly #memory: SharedArrayBuffer;
  readonly #threads: Thread[];
  readonly #perform: (task: Task) => Answer;
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];
  #streams = 0;

  /** `bytes`: how much there is to do; for little no threads are started. */
  constructor(bytes: number, threads = Math.min(availableParallelism(), mostThreads)) {
    const count = bytes < worthThreads ? 0 : threads;
    const slots = halfFilled + 3 * count;
    this.#memory = new SharedArrayBuffer(slots * slotSize);
    this.#perform = performer(this.#memory, slotSize);
    this.#free = Array.from({ length: slots }, (_, index) => index);
    this.#threads = Array.from({ length: count }, () => new Thread(this.#memory));
  }

  /** A free slot; waits for one. Who takes it gives it to a task of `run`, or back. */
  async slot(): Promise<Slot> {
    const index =
      this.#free.pop() ?? (await new Promise<number>((give) => this.#waiting.push(give)));
    return { index, bytes: Buffer.from(this.#memory, index * slotSize, slotSize) };
  }

  /** So many tasks of one caller keep all threads busy, and leave slots to others. */
  get parallel(): number {
    return 2 * this.#threads.length;
  }

  giveBack({ index }: Slot): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(index);
    else next(index);
  }

  /** A number for tasks that belong together: the thread with least to do gets all of them, in order. */
  stream(): number {
    const loads = this.#threads.map(({ load }) => load);
    const idlest = Math.max(loads.indexOf(Math.min(...loads)), 0);
    this.#streams += 1;
    return this.#streams * Math.max(loads.length, 1) + idlest;
  }

  /** Does a task on the thread of its stream. Rejects as the task failed. */
  async run(task: Task): Promise<Answer> {
    const thread = this.#threads[task.stream % this.#threads.length];
    return thread === undefined ? this.#perform(task) : thread.run(task);
  }

  /** Ends all threads; nothing is written any more when it resolves. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/** Does some work with threads that end with it, also when it fails: nobody writes on behind the back of who cleans up. */
export async function withThreads<T>(
  bytes: number,
  work: (threads: Threads) => Promise<T>,
): Promise<T> {
  const threads = new Threads(bytes);
  return work(threads).finally(() => threads.close());
}

const program = `
const { parentPort, workerData } = require('node:worker_threads');
const perform = (${performer})(workerData.memory, workerData.slotSize);
parentPort.on('message', (task) => {
  try {
    parentPort.postMessage({ answer: perform(task) });
  } catch ({ message, code }) {
    parentPort.postMessage({ failure: { message, code } });
  }
});`;

interface Reply {
  readonly answer?: Answer;
  readonly failure?: { readonly message: string; readonly code?: string };
}

/** One thread, which answers in the order that it is asked. */
class Thread {
  readonly #worker: Worker;
  readonly #asked: PromiseWithResolvers<Answer>[] = [];
  #failure: Error | undefined;

  constructor(memory: SharedArrayBuffer) {
    this.#worker = new Worker(program, {
      eval: true,
      execArgv: [],
      workerData: { memory, slotSize },
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.on('message', ({ answer, failure }: Reply) => {
      const asked = this.#asked.shift();
      if (answer !== undefined) asked?.resolve(answer);
      else asked?.reject(Object.assign(new Error(failure?.message), { code: failure?.code }));
    });
    this.#worker.on('error', (error: Error) => {
      this.#failure = error;
      for (const asked of this.#asked.splice(0)) asked.reject(error);
    });
  }

  /** Tasks that are not answered yet. */
  get load(): number {
    return this.#asked.length;
  }

  run(task: Task): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const asked = Promise.withResolvers<Answer>();
    this.#asked.push(asked);
    this.#worker.postMessage(task);
    return asked.promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
