import { PineError } from '../../error.ts';

/** What a dynamic ELF program or library asks for. */
export interface ElfNeeds {
  /** Path of the dynamic loader (PT_INTERP); `undefined` in libraries and static programs. */
  readonly interpreter: string | undefined;
  /** Names of libraries (DT_NEEDED), in order. */
  readonly libraries: readonly string[];
  /** Where to look for them first (DT_RUNPATH, DT_RPATH), with `$ORIGIN` as it stands. */
  readonly searchPath: readonly string[];
}

const programHeader = { load: 1, dynamic: 2, interpreter: 3 } as const;
const tag = { end: 0, needed: 1, stringTable: 5, runtimePath: 15, runPath: 29 } as const;

/**
 * Reads what an ELF file needs at run time: 64-bit little-endian, as x86_64 and aarch64 have it
 * (System V ABI, chapters 4 and 5). `where` names the file in messages; throws INPUT_ELF.
 */
export function readElfNeeds(bytes: Buffer, where: string): ElfNeeds {
  const fail = (found: string): never => {
    throw new PineError('INPUT_ELF', `${where} is no program that pine can put into an initramfs`, {
      expected: 'a whole 64-bit little-endian ELF file',
      found,
      where,
      remedy: 'put the program of the distribution there again',
    });
  };
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) return fail('no ELF header');
  if (bytes[4] !== 2 || bytes[5] !== 1) return fail('an ELF file of another class or byte order');
  try {
    return readNeeds(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return fail('headers that point outside of the file');
  }
}

/** Throws RangeError when anything lies outside of the file. */
function readNeeds(bytes: Buffer): ElfNeeds {
  const segments = readSegments(bytes);
  const interpreter = segments.find(({ type }) => type === programHeader.interpreter);
  const dynamic = segments.find(({ type }) => type === programHeader.dynamic);
  const values: { tag: number; value: number }[] = [];
  if (dynamic !== undefined) {
    for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
      const entry = { tag: number64(bytes, at), value: number64(bytes, at + 8) };
      if (entry.tag === tag.end) break;
      values.push(entry);
    }
  }
  const strings = values.find((entry) => entry.tag === tag.stringTable)?.value ?? 0;
  const named = (wanted: number) =>
    values
      .filter((entry) => entry.tag === wanted)
      .map((entry) => stringAt(bytes, fileOffset(segments, strings) + entry.value));
  return {
    interpreter: interpreter === undefined ? undefined : stringAt(bytes, interpreter.offset),
    libraries: named(tag.needed),
    searchPath: [...named(tag.runPath), ...named(tag.runtimePath)].flatMap((path) =>
      path.split(':'),
    ),
  };
}

interface ProgramSegment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function readSegments(bytes: Buffer): ProgramSegment[] {
  const table = number64(bytes, 32);
  const entrySize = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * entrySize;
    return {
      type: bytes.readUInt32LE(at),
      offset: number64(bytes, at + 8),
      address: number64(bytes, at + 16),
      size: number64(bytes, at + 32),
    };
  });
}

/** Where in the file an address of the loaded program lies. */
function fileOffset(segments: readonly ProgramSegment[], address: number): number {
  const segment = segments.find(
    ({ type, address: start, size }) =>
      type === programHeader.load && address >= start && address < start + size,
  );
  if (segment === undefined) throw new RangeError('an address in no segment');
  return address - segment.address + segment.offset;
}

function stringAt(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset);
  if (offset < 0 || offset >= bytes.length || end < 0) throw new RangeError('no string there');
  return bytes.toString('utf8', offset, end);
}

function number64(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}
