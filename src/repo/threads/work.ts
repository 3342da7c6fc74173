/** Plain bytes that a slot holds. */
export const blockSize = 512 * 1024;
/** As far back as deflate looks: so many bytes before a block go with it. */
export const windowSize = 32 * 1024;
/** A block with what comes before it; deflated it is at most this much longer. */
export const slotSize = windowSize + blockSize + 1024;

/** Part of the computing of SHA-256s, one after the other. */
export type Step =
  | { readonly kind: 'begin'; readonly prefix: Uint8Array }
  | { readonly kind: 'add'; readonly offset: number; readonly length: number }
  | { readonly kind: 'end'; readonly store?: StoredContent };

/**
 * A content that is stored deflated when its digest is the expected one: in a new file, which begins
 * with `start`. It lies whole in the slot.
 */
export interface StoredContent {
  readonly path: string;
  readonly start: Uint8Array;
  readonly checksum: string;
  readonly offset: number;
  readonly length: number;
}

/** What a thread does with a slot. */
export type Task =
  /** Goes on with the hash of a stream: the digests of those that end. */
  | {
      readonly kind: 'hash';
      readonly slot: number;
      readonly stream: number;
      readonly steps: readonly Step[];
    }
  /** Deflates a block in place: its new length. `before` bytes in front of it were deflated already. */
  | {
      readonly kind: 'deflate';
      readonly slot: number;
      readonly stream: number;
      readonly before: number;
      readonly length: number;
    };

export type Answer = readonly string[] | number;

/**
 * Does tasks over slots in shared memory. Its text is the program of the threads, since pinectl is one
 * file: it uses nothing from outside of itself.
 */
export function performer(memory: SharedArrayBuffer, slotSize: number): (task: Task) => Answer {
  const crypto = process.getBuiltinModule('node:crypto');
  const fs = process.getBuiltinModule('node:fs');
  const zlib = process.getBuiltinModule('node:zlib');
  /** The level that ostree uses by default for archives. */
  const level = zlib.constants.Z_DEFAULT_COMPRESSION;
  const hashes = new Map<number, ReturnType<typeof crypto.createHash>>();
  const bytesOf = (slot: number, offset: number, length: number) =>
    Buffer.from(memory, slot * slotSize + offset, length);
  /** More than so many bytes can become: one piece of output, where the default is many. */
  const deflatedLimit = (length: number) => length + Math.ceil(length / 1000) + 256;

  /** Frees what zlib gave at once: the collector would let some 60 MB of it pile up in each thread. */
  const release = ({ buffer }: Buffer, length: number) => {
    // Small ones lie in a pool, with others.
    const isAlone = length >= Buffer.poolSize >>> 1 && buffer.byteLength === length;
    if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
  };

  const store = (slot: number, digest: string, content: StoredContent) => {
    if (digest !== content.checksum) return;
    const { path, start, offset, length } = content;
    const plain = bytesOf(slot, offset, length);
    const room = deflatedLimit(length);
    const deflated = zlib.deflateRawSync(plain, { level, chunkSize: room });
    const file = fs.openSync(path, 'wx');
    try {
      fs.writeFileSync(file, start);
      fs.writeFileSync(file, deflated);
    } finally {
      fs.closeSync(file);
      release(deflated, room);
    }
  };
  const hash = (slot: number, stream: number, steps: readonly Step[]): string[] => {
    const digests: string[] = [];
    let current = hashes.get(stream) ?? crypto.createHash('sha256');
    for (const step of steps) {
      if (step.kind === 'begin') current = crypto.createHash('sha256').update(step.prefix);
      else if (step.kind === 'add') current.update(bytesOf(slot, step.offset, step.length));
      else {
        const digest = current.digest('hex');
        digests.push(digest);
        if (step.store !== undefined) store(slot, digest, step.store);
      }
    }
    if (steps.at(-1)?.kind === 'end') hashes.delete(stream);
    else hashes.set(stream, current);
    return digests;
  };
  const deflate = (slot: number, before: number, length: number): number => {
    const room = deflatedLimit(length);
    const deflated = zlib.deflateRawSync(bytesOf(slot, before, length), {
      level,
      chunkSize: room,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      ...(before === 0 ? {} : { dictionary: bytesOf(slot, 0, before) }),
    });
    const { length: deflatedLength } = deflated;
    bytesOf(slot, 0, slotSize).set(deflated);
    release(deflated, room);
    return deflatedLength;
  };
  return (task) =>
    task.kind === 'hash'
      ? hash(task.slot, task.stream, task.steps)
      : deflate(task.slot, task.before, task.length);
}
