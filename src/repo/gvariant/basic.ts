import { isUtf8 } from 'node:buffer';
import { type Codec, GVariantError } from './codec.ts';

function fixed<T>(
  type: string,
  size: number,
  write: (buffer: Buffer, value: T) => void,
  read: (buffer: Buffer) => T,
): Codec<T> {
  return {
    type,
    alignment: size,
    fixedSize: size,
    encode(value) {
      const buffer = Buffer.alloc(size);
      try {
        write(buffer, value);
      } catch (cause) {
        throw new RangeError(`${String(value)} is no value of GVariant type ${type}`, { cause });
      }
      return buffer;
    },
    decode(bytes) {
      if (bytes.length !== size) throw new GVariantError(`${type} of ${bytes.length} bytes`);
      return read(bytes);
    },
  };
}

export const boolean = fixed<boolean>(
  'b',
  1,
  (buffer, value) => buffer.writeUInt8(value ? 1 : 0),
  (buffer) => buffer[0] !== 0,
);
export const uint8 = fixed<number>(
  'y',
  1,
  (buffer, value) => buffer.writeUInt8(value),
  (buffer) => buffer.readUInt8(),
);
export const int16 = fixed<number>(
  'n',
  2,
  (buffer, value) => buffer.writeInt16LE(value),
  (buffer) => buffer.readInt16LE(),
);
export const uint16 = fixed<number>(
  'q',
  2,
  (buffer, value) => buffer.writeUInt16LE(value),
  (buffer) => buffer.readUInt16LE(),
);
export const int32 = fixed<number>(
  'i',
  4,
  (buffer, value) => buffer.writeInt32LE(value),
  (buffer) => buffer.readInt32LE(),
);
export const uint32 = fixed<number>(
  'u',
  4,
  (buffer, value) => buffer.writeUInt32LE(value),
  (buffer) => buffer.readUInt32LE(),
);
export const int64 = fixed<bigint>(
  'x',
  8,
  (buffer, value) => buffer.writeBigInt64LE(value),
  (buffer) => buffer.readBigInt64LE(),
);
export const uint64 = fixed<bigint>(
  't',
  8,
  (buffer, value) => buffer.writeBigUInt64LE(value),
  (buffer) => buffer.readBigUInt64LE(),
);
export const double = fixed<number>(
  'd',
  8,
  (buffer, value) => buffer.writeDoubleLE(value),
  (buffer) => buffer.readDoubleLE(),
);

/** OSTree stores the integers of its own objects big-endian inside a little-endian GVariant. */
export const uint32BigEndian = fixed<number>(
  'u',
  4,
  (buffer, value) => buffer.writeUInt32BE(value),
  (buffer) => buffer.readUInt32BE(),
);
export const uint64BigEndian = fixed<bigint>(
  't',
  8,
  (buffer, value) => buffer.writeBigUInt64BE(value),
  (buffer) => buffer.readBigUInt64BE(),
);

/** Also object paths and signatures, whose own syntax is not looked at. */
export function stringOfType(type: 's' | 'o' | 'g'): Codec<string> {
  return {
    type,
    alignment: 1,
    fixedSize: undefined,
    encode(value) {
      if (value.includes('\0')) throw new RangeError('a GVariant string holds no NUL');
      return Buffer.from(`${value}\0`);
    },
    decode(bytes) {
      const text = bytes.subarray(0, -1);
      if (bytes.at(-1) !== 0 || text.includes(0)) {
        throw new GVariantError('a string without one NUL at its end');
      }
      if (!isUtf8(text)) throw new GVariantError('a string that is not UTF-8');
      return text.toString();
    },
  };
}

export const string = stringOfType('s');

/** `ay`: raw bytes. What is read shares memory with the serialized value. */
export const bytes: Codec<Uint8Array> = {
  type: 'ay',
  alignment: 1,
  fixedSize: undefined,
  encode: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
  decode: (value) => value,
};
