import { createHash } from 'node:crypto';

/** What a file has that is not linked yet: functions by name (`function_0` to `function_599`, others), each as long as it says. */
export interface SmallObject {
  readonly functions: Readonly<Record<string, number>>;
  readonly machine?: 'x86-64' | 'arm64';
  /** The content of a section that is not loaded, as one with types is. */
  readonly types?: Buffer;
}

interface Part {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly bytes: Buffer;
  readonly link?: number;
  readonly info?: number;
}

const [progbits, symtab, strtab, rela] = [1, 2, 3, 4];
const [allocated, executable] = [2, 4];

/**
 * An object file (ET_REL) like a kernel module: each function calls another one, by its symbol and by the section's, and
 * a table that is all relocations has the beginning of each.
 */
export function makeObject({ functions, machine = 'x86-64', types }: SmallObject): Buffer {
  const names = Object.keys(functions);
  const starts = new Map<string, number>();
  const code: Buffer[] = [];
  let size = 0;
  for (const name of names) {
    starts.set(name, size);
    const body = functionBody(name, functions[name] ?? 0);
    code.push(body);
    size += body.length;
  }
  const strings = ['', ...names].map((name) => Buffer.from(`${name}\0`));
  const symbols = [Buffer.alloc(24), symbol(0, 3, 1, 0, 0)];
  let at = 1;
  for (const name of names) {
    symbols.push(symbol(at, 0x12, 1, starts.get(name) ?? 0, functions[name] ?? 0));
    at += name.length + 1;
  }
  const [call, place] = machine === 'x86-64' ? [4, 2] : [283, 261];
  const calls = names.flatMap((name) => {
    const from = starts.get(name) ?? 0;
    // Whatever was put in among them, a function calls the same ones.
    const number = Number(/\d+/.exec(name)?.[0]);
    const callee = Math.max(0, names.indexOf(`function_${(number * 7) % 600}`));
    const target = starts.get(`function_${(number * 11) % 600}`) ?? 0;
    return [relocation(from, call, callee + 2, -4), relocation(from + 16, call, 1, target - 4)];
  });
  const table = names.map((name, index) => relocation(4 * index, place, 1, starts.get(name) ?? 0));
  return assemble(machine === 'x86-64' ? 62 : 183, [
    { name: '.text', type: progbits, flags: allocated | executable, bytes: Buffer.concat(code) },
    { name: '.tab', type: progbits, flags: allocated, bytes: Buffer.alloc(4 * names.length) },
    { name: '.symtab', type: symtab, bytes: Buffer.concat(symbols), link: 4 },
    { name: '.strtab', type: strtab, bytes: Buffer.concat(strings) },
    { name: '.rela.text', type: rela, bytes: Buffer.concat(calls), link: 3, info: 1 },
    { name: '.rela.tab', type: rela, bytes: Buffer.concat(table), link: 3, info: 2 },
    ...(types === undefined ? [] : [{ name: '.BTF', type: progbits, bytes: types }]),
  ]);
}

/** Noise that depends on the name only, with four zeros where it is relocated. */
function functionBody(name: string, length: number): Buffer {
  const body = createHash('shake256', { outputLength: length }).update(name).digest();
  body.writeUInt32LE(0, 0);
  body.writeUInt32LE(0, 16);
  return body;
}

function symbol(name: number, info: number, section: number, value: number, size: number): Buffer {
  const entry = Buffer.alloc(24);
  entry.writeUInt32LE(name, 0);
  entry.writeUInt8(info, 4);
  entry.writeUInt16LE(section, 6);
  entry.writeUInt32LE(value, 8);
  entry.writeUInt32LE(size, 16);
  return entry;
}

function relocation(place: number, type: number, number: number, addend: number): Buffer {
  const entry = Buffer.alloc(24);
  entry.writeUInt32LE(place, 0);
  entry.writeUInt32LE(type, 8);
  entry.writeUInt32LE(number, 12);
  entry.writeBigInt64LE(BigInt(addend), 16);
  return entry;
}

function assemble(machine: number, parts: readonly Part[]): Buffer {
  const header = Buffer.alloc(1024);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(1, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(parts.length + 1, 60);
  const contents: Buffer[] = [header];
  const headers = [Buffer.alloc(64)];
  let offset = header.length;
  for (const { type, flags = 0, bytes, link = 0, info = 0 } of parts) {
    const entry = Buffer.alloc(64);
    [0, type, flags].forEach((number, index) => {
      entry.writeUInt32LE(number, 4 * index);
    });
    entry.writeUInt32LE(offset, 24);
    entry.writeUInt32LE(bytes.length, 32);
    entry.writeUInt32LE(link, 40);
    entry.writeUInt32LE(info, 44);
    headers.push(entry);
    const padded = Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
    contents.push(padded);
    offset += padded.length;
  }
  header.writeUInt32LE(offset, 40);
  return Buffer.concat([...contents, ...headers]);
}
