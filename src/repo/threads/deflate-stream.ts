import { type Readable, SlotFiller } from './slot-filler.ts';
import type { Slot, Threads } from './threads.ts';
import { blockSize, windowSize } from './work.ts';

/** A last block without content, which ends a deflate stream. */
const end = Buffer.from([0x03, 0x00]);

interface Block {
  readonly slot: Slot;
  readonly length: Promise<number>;
}

/**
 * Deflates a content of any size on several threads, as one raw stream. Each block ends at a byte and
 * knows the bytes before it, so that little is lost to cutting: below 0.1 %. `see` is shown what is
 * read, `write` gets what comes of it, in order.
 */
export async function deflateStream(
  threads: Threads,
  content: Readable,
  see: (piece: Uint8Array) => void,
  write: (deflated: Uint8Array) => void,
): Promise<void> {
  const pending: Block[] = [];
  const window = Buffer.alloc(windowSize);
  let before = 0;
  const filler = new SlotFiller(
    threads,
    (slot, filled) => {
      pending.push(deflateBlock(threads, slot, before, filled - before));
      before = Math.min(windowSize, filled);
      window.set(slot.bytes.subarray(filled - before, filled));
    },
    (slot) => {
      slot.bytes.set(window.subarray(0, before));
      return before;
    },
  );
  const writeUntil = async (left: number) => {
    for (let block = pending[0]; block !== undefined && pending.length > left; [block] = pending) {
      write(block.slot.bytes.subarray(0, await block.length));
      threads.giveBack(block.slot);
      pending.shift();
    }
  };
  try {
    for await (const piece of content(filler.room)) {
      see(piece);
      // In parts: a slot becomes free only when what it holds is written.
      for (let at = 0; at < piece.length; at += blockSize) {
        await filler.put(piece.subarray(at, at + blockSize), () => {});
        await writeUntil(threads.parallel);
      }
    }
    filler.flush();
    await writeUntil(0);
    write(end);
  } finally {
    filler.abandon();
    // Nobody deflates on behind the back of who gave up.
    await Promise.allSettled(pending.map(({ length }) => length));
    for (const { slot } of pending) threads.giveBack(slot);
  }
}

function deflateBlock(threads: Threads, slot: Slot, before: number, length: number): Block {
  const task = {
    kind: 'deflate',
    slot: slot.index,
    stream: threads.stream(),
    before,
    length,
  } as const;
  const deflated = threads.run(task).then(Number);
  deflated.catch(() => {}); // It is awaited when its turn comes.
  return { slot, length: deflated };
}
