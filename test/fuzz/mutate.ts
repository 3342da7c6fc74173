/** A small, seeded source of randomness (mulberry32): the same seed gives the same mutations. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const lengths = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A copy of one of `samples` with one to four changes, of the kinds that break readers. */
export function mutate(samples: readonly Buffer[], random: (below: number) => number): Buffer {
  const pick = () => samples[random(samples.length)] ?? Buffer.of();
  let bytes = Buffer.from(pick());
  for (let changes = 1 + random(4); changes > 0; changes -= 1) {
    const at = random(bytes.length + 1);
    const length = random(Math.min(64, bytes.length - at + 1));
    const piece = bytes.subarray(at, at + length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const kind = random(8);
    if (kind === 0 && after.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    if (kind === 1 && after.length > 0) bytes[at] = lengths[random(5)] ?? 0;
    if (kind === 2) bytes = Buffer.from(before);
    if (kind === 3) bytes = Buffer.concat([before, piece, after]);
    if (kind === 4) bytes = Buffer.concat([before, after.subarray(length)]);
    if (kind === 5 && after.length >= 4) {
      const value = lengths[random(lengths.length)] ?? 0;
      if (random(2) === 0) bytes.writeUInt32LE(value, at);
      else bytes.writeUInt32BE(value, at);
    }
    if (kind === 6) {
      const other = pick();
      const from = random(other.length + 1);
      bytes = Buffer.concat([before, other.subarray(from, from + random(256))]);
    }
    if (kind === 7) bytes = Buffer.concat([before, Buffer.alloc(random(32), random(256)), after]);
  }
  return bytes;
}
