import { generator } from './small-elf.ts';

const [codeAt, dataAt] = [0x1000, 0x8000];
/** What the kernel is linked for: 2^31 below 0, and 16 MiB behind. */
const kernelBase = 0x81000000;

/**
 * A tiny kernel before it is compressed: code that calls and takes addresses, a table of pointers, one of distances from
 * themselves, one of symbols, and behind the section headers the list of all places that hold an address. With a section of types, if there are any.
 */
export function makeVmlinux(
  paddings: readonly number[],
  seed = 7,
  types: Uint8Array = new Uint8Array(0),
): Buffer {
  const random = generator(seed);
  const functions = paddings.map((padding) => ({
    start: 0,
    body: Buffer.from(Array.from({ length: 40 }, () => 0x50 + (random() % 16))),
    padding: Buffer.alloc(padding, 0x90),
    callee: random() % paddings.length,
    datum: random() % paddings.length,
  }));
  let end = codeAt;
  for (const each of functions) {
    each.start = end;
    end += each.body.length + each.padding.length + 10;
  }
  const count = functions.length;
  const [pointers, distances, symbols] = [dataAt, dataAt + 0x1000, dataAt + 0x2000];
  const typesAt = dataAt + 0x3000;
  const headers = typesAt + types.length;
  const parts: Part[] = [
    { offset: codeAt, size: end - codeAt, flags: 6 },
    { offset: dataAt, size: typesAt - dataAt, flags: 3 },
    ...(types.length > 0 ? [{ offset: typesAt, size: types.length, flags: 2 }] : []),
  ];
  const file = Buffer.alloc(headers + parts.length * 64);
  file.set(types, typesAt);
  const places: number[] = [];
  const address = (offset: number) => kernelBase + offset;
  functions.forEach(({ start, body, padding, callee, datum }, index) => {
    Buffer.concat([body, padding]).copy(file, start);
    const call = start + body.length + padding.length;
    file[call] = 0xe8;
    file.writeInt32LE((functions[callee]?.start ?? 0) - (call + 5), call + 1);
    // mov $address, %edi as a kernel has it: sign-extended.
    file[call + 5] = 0xbf;
    file.writeUInt32LE(address(functions[datum]?.start ?? 0), call + 6);
    places.push(address(call + 6));
    file.writeUInt32LE(address(start), pointers + 8 * index);
    file.writeInt32LE(-1, pointers + 8 * index + 4);
    places.push(address(pointers + 8 * index));
    file.writeInt32LE(start - (distances + 4 * index), distances + 4 * index);
    file.writeInt32LE(codeAt - start - 1, symbols + 4 * index);
  });
  const list = Buffer.alloc(4 * places.length);
  places
    .sort((a, b) => a - b)
    .forEach((place, index) => {
      list.writeUInt32LE(place, 4 * index);
    });
  writeHeaders(file, headers, parts);
  if (4 * count > 0x1000) throw new RangeError('too many functions');
  return Buffer.concat([file, list]);
}

interface Part {
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
}

function writeHeaders(file: Buffer, headers: number, parts: readonly Part[]): void {
  file.write('7f454c4602010100', 0, 'hex');
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(62, 18);
  file.writeUInt32LE(64, 32);
  file.writeUInt32LE(headers, 40);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(parts.length, 56);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(parts.length, 60);
  parts.forEach(({ offset, size, flags }, index) => {
    const segment = 64 + 56 * index;
    const section = headers + 64 * index;
    file.writeUInt32LE(1, segment);
    file.writeUInt32LE(offset, segment + 8);
    for (const at of [segment + 16, section + 16]) {
      file.writeUInt32LE(kernelBase + offset, at);
      file.writeInt32LE(-1, at + 4);
    }
    for (const at of [segment + 32, segment + 40, section + 32]) file.writeUInt32LE(size, at);
    file.writeUInt32LE(1, section + 4);
    file.writeUInt32LE(flags, section + 8);
    file.writeUInt32LE(offset, section + 24);
  });
}
