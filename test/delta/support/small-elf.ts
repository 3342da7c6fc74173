/** A tiny library: functions that call each other, a table of pointers, and nothing that runs. */
export interface SmallElf {
  /** Bytes of padding in each function: what grows between two versions. */
  readonly functions: readonly number[];
  readonly seed: number;
  readonly machine?: 'x86-64' | 'arm64' | 'x86-64, fixed';
}

/** Per processor: the kind of program (ET_DYN, ET_EXEC), what its data is (the section's flags), its number in the header, what does nothing, and a call with the address of data behind it. */
const machines = {
  'x86-64': {
    type: 3,
    data: 3,
    number: 62,
    fill: 0x50,
    nothing: '90909090',
    size: 13,
    call(at: number, callee: number, data: number): Buffer {
      const code = Buffer.from('e800000000488d0d00000000c3', 'hex');
      code.writeInt32LE(callee - (at + 5), 1);
      code.writeInt32LE(data - (at + 12), 8);
      return code;
    },
  },
  'x86-64, fixed': {
    type: 2,
    data: 2,
    number: 62,
    fill: 0x50,
    nothing: '90909090',
    size: 27,
    call(at: number, callee: number, data: number): Buffer {
      // A call, mov with an address, a jump by a table of addresses, and cmp with both.
      const code = Buffer.from('e800000000bf00000000ff24c50000000081bf0000000000000000', 'hex');
      code.writeInt32LE(callee - (at + 5), 1);
      code.writeInt32LE(data, 6);
      code.writeInt32LE(data, 13);
      code.writeInt32LE(data, 19);
      code.writeInt32LE(callee, 23);
      return code;
    },
  },
  arm64: {
    type: 3,
    data: 3,
    number: 183,
    fill: 0x50,
    nothing: '1f2003d5',
    size: 16,
    call(at: number, callee: number, data: number): Buffer {
      const code = Buffer.alloc(16);
      const pages = (data >> 12) - ((at + 4) >> 12);
      code.writeUInt32LE((0x94000000 | (((callee - at) / 4) & 0x3ffffff)) >>> 0, 0);
      code.writeUInt32LE((0x90000001 | ((pages & 3) << 29) | ((pages >> 2) << 5)) >>> 0, 4);
      code.writeUInt32LE((0x91000021 | ((data & 0xfff) << 10)) >>> 0, 8);
      code.writeUInt32LE(0xd65f03c0, 12);
      return code;
    },
  },
} as const;

const textStart = 0x1000;

/** Lays the library out as a linker would: all distances follow from the functions' lengths. */
export function makeElf({ functions, seed, machine = 'x86-64' }: SmallElf): Buffer {
  const { type, data: dataFlags, number, fill, nothing, size, call } = machines[machine];
  const random = generator(seed);
  const callsEach = 8;
  const bodies = functions.map((padding) => ({
    fill: Buffer.from(Array.from({ length: 48 }, () => fill + (random() % 16))),
    padding: Buffer.alloc(padding, nothing, 'hex'),
    calls: Array.from({ length: callsEach }, () => random() % functions.length),
  }));
  const starts: number[] = [];
  let end = textStart;
  for (const { fill, padding } of bodies) {
    starts.push(end);
    end += fill.length + padding.length + callsEach * size;
  }
  const dataStart = Math.ceil(end / 0x1000) * 0x1000;
  const text = bodies.map(({ fill, padding, calls }, index) => {
    let at = (starts[index] ?? 0) + fill.length + padding.length;
    const code = calls.map((callee) => {
      const bytes = call(at, starts[callee] ?? 0, dataStart + 8 * callee);
      at += bytes.length;
      return bytes;
    });
    return Buffer.concat([fill, padding, ...code]);
  });
  const data = Buffer.alloc(8 * functions.length);
  starts.forEach((start, index) => {
    data.writeUInt32LE(start, 8 * index);
  });
  const sections = [
    { type: 1, flags: 6, offset: textStart, size: end - textStart },
    { type: 1, flags: dataFlags, offset: dataStart, size: data.length },
  ];
  const file = Buffer.alloc(dataStart + data.length + 64 * sections.length);
  Buffer.concat(text).copy(file, textStart);
  data.copy(file, dataStart);
  writeHeaders(file, { type, number }, sections);
  return file;
}

interface RawSection {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
}

function writeHeaders(
  file: Buffer,
  { type, number }: { readonly type: number; readonly number: number },
  sections: readonly RawSection[],
): void {
  const sectionTable = file.length - 64 * sections.length;
  file.write('7f454c4602010100', 0, 'hex');
  file.writeUInt16LE(type, 16);
  file.writeUInt16LE(number, 18);
  file.writeUInt32LE(64, 32);
  file.writeUInt32LE(sectionTable, 40);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(sections.length, 56);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(sections.length, 60);
  sections.forEach(({ type: kind, flags, offset, size }, index) => {
    const segment = 64 + 56 * index;
    file.writeUInt32LE(1, segment);
    for (const at of [8, 16, 24]) file.writeUInt32LE(offset, segment + at);
    for (const at of [32, 40]) file.writeUInt32LE(size, segment + at);
    const section = sectionTable + 64 * index;
    file.writeUInt32LE(kind, section + 4);
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
