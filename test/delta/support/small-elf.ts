/** A tiny x86-64 library: functions that call each other, a table of pointers, and nothing that runs. */
export interface SmallElf {
  /** Bytes of padding in each function: what grows between two versions. */
  readonly functions: readonly number[];
  readonly seed: number;
}

const textStart = 0x1000;

/** Lays the library out as a linker would: all distances follow from the functions' lengths. */
export function makeElf({ functions, seed }: SmallElf): Buffer {
  const random = generator(seed);
  const callsEach = 8;
  const bodies = functions.map((padding) => ({
    fill: Buffer.from(Array.from({ length: 48 }, () => random() % 0x70)),
    padding: Buffer.alloc(padding, 0x90),
    calls: Array.from({ length: callsEach }, () => random() % functions.length),
  }));
  const starts: number[] = [];
  let end = textStart;
  for (const { fill, padding } of bodies) {
    starts.push(end);
    end += fill.length + padding.length + callsEach * 13;
  }
  const dataStart = Math.ceil(end / 0x1000) * 0x1000;
  const text = bodies.map(({ fill, padding, calls }, index) => {
    let at = (starts[index] ?? 0) + fill.length + padding.length;
    const code = calls.map((callee) => {
      const call = Buffer.from('e800000000488d0d00000000c3', 'hex');
      call.writeInt32LE((starts[callee] ?? 0) - (at + 5), 1);
      call.writeInt32LE(dataStart + 8 * callee - (at + 12), 8);
      at += call.length;
      return call;
    });
    return Buffer.concat([fill, padding, ...code]);
  });
  const data = Buffer.alloc(8 * functions.length);
  starts.forEach((start, index) => {
    data.writeUInt32LE(start, 8 * index);
  });
  const sections = [
    { type: 1, flags: 6, offset: textStart, size: end - textStart },
    { type: 1, flags: 3, offset: dataStart, size: data.length },
  ];
  const file = Buffer.alloc(dataStart + data.length + 64 * sections.length);
  Buffer.concat(text).copy(file, textStart);
  data.copy(file, dataStart);
  writeHeaders(file, sections);
  return file;
}

interface RawSection {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
}

function writeHeaders(file: Buffer, sections: readonly RawSection[]): void {
  const sectionTable = file.length - 64 * sections.length;
  file.write('7f454c4602010100', 0, 'hex');
  file.writeUInt16LE(3, 16);
  file.writeUInt16LE(62, 18);
  file.writeUInt32LE(64, 32);
  file.writeUInt32LE(sectionTable, 40);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(sections.length, 56);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(sections.length, 60);
  sections.forEach(({ type, flags, offset, size }, index) => {
    const segment = 64 + 56 * index;
    file.writeUInt32LE(1, segment);
    for (const at of [8, 16, 24]) file.writeUInt32LE(offset, segment + at);
    for (const at of [32, 40]) file.writeUInt32LE(size, segment + at);
    const section = sectionTable + 64 * index;
    file.writeUInt32LE(type, section + 4);
    file.writeUInt32LE(flags, section + 8);
    file.writeUInt32LE(offset, section + 16);
    file.writeUInt32LE(offset, section + 24);
    file.writeUInt32LE(size, section + 32);
  });
}

/** A small generator of numbers that are the same each time. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}
