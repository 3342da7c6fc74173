import { type Codec, GVariantError } from './codec.ts';
import { align, BodyWriter, frame, offsetWidth, readOffset } from './framing.ts';

/** `a…`: any number of elements of one type. */
export function array<T>(element: Codec<T>): Codec<readonly T[]> {
  const { alignment, fixedSize } = element;
  return {
    type: `a${element.type}`,
    alignment,
    fixedSize: undefined,
    encode(values) {
      const body = new BodyWriter();
      const ends: number[] = [];
      for (const value of values) {
        body.add(element.encode(value), alignment);
        ends.push(body.length);
      }
      return frame(body.finish(), fixedSize === undefined ? ends : []);
    },
    decode(bytes, depth) {
      const values: T[] = [];
      if (bytes.length === 0) return values;
      if (fixedSize !== undefined) {
        if (bytes.length % fixedSize !== 0) throw new GVariantError('an array of broken elements');
        for (let at = 0; at < bytes.length; at += fixedSize) {
          values.push(element.decode(bytes.subarray(at, at + fixedSize), depth));
        }
        return values;
      }
      const width = offsetWidth(bytes.length);
      const bodyEnd = readOffset(bytes, bytes.length - width, 0, width);
      const count = (bytes.length - bodyEnd) / width;
      if (!Number.isInteger(count) || count < 1) throw new GVariantError('an array without ends');
      let position = 0;
      for (let index = 0; index < count; index += 1) {
        const start = align(position, alignment);
        position = readOffset(bytes, bodyEnd, index, width);
        if (start > position || position > bodyEnd) {
          throw new GVariantError('an array with elements out of order');
        }
        values.push(element.decode(bytes.subarray(start, position), depth));
      }
      return values;
    },
  };
}

type Members<T extends readonly unknown[]> = { readonly [K in keyof T]: Codec<T[K]> };

/** `(…)`: a fixed list of members. */
export function tuple<T extends readonly unknown[]>(...members: Members<T>): Codec<Readonly<T>> {
  return record<Readonly<T>>('(', ')', members);
}

/** `{…}`: one entry of a dictionary. */
export function entry<K, V>(key: Codec<K>, value: Codec<V>): Codec<readonly [K, V]> {
  return record<readonly [K, V]>('{', '}', [key, value]);
}

function record<T extends readonly unknown[]>(
  opening: string,
  closing: string,
  membersOfT: Members<T>,
): Codec<T> {
  const members: readonly Codec<unknown>[] = membersOfT;
  const alignment = Math.max(1, ...members.map((member) => member.alignment));
  const fixedSize = sizeOf(members, alignment);
  const framed = members.slice(0, -1).filter((member) => member.fixedSize === undefined).length;
  return {
    type: `${opening}${members.map((member) => member.type).join('')}${closing}`,
    alignment,
    fixedSize,
    encode(values) {
      const body = new BodyWriter();
      const ends: number[] = [];
      members.forEach((member, index) => {
        body.add(member.encode(values[index]), member.alignment);
        if (member.fixedSize === undefined && index < members.length - 1) ends.push(body.length);
      });
      // The unit `()` still takes a byte, so that it has a length.
      if (fixedSize !== undefined) body.pad(members.length === 0 ? 1 : alignment);
      if (members.length === 0) return Buffer.alloc(1);
      return frame(body.finish(), ends.reverse());
    },
    decode(bytes, depth) {
      if (fixedSize !== undefined && bytes.length !== fixedSize) {
        throw new GVariantError(`a tuple of ${bytes.length} bytes instead of ${fixedSize}`);
      }
      const width = offsetWidth(bytes.length);
      const bodyEnd = bytes.length - framed * width;
      let position = 0;
      let offset = framed;
      const values = members.map((member, index) => {
        const start = align(position, member.alignment);
        if (member.fixedSize !== undefined) position = start + member.fixedSize;
        else if (index === members.length - 1) position = bodyEnd;
        else {
          offset -= 1;
          position = readOffset(bytes, bodyEnd, offset, width);
        }
        if (start > position || position > bodyEnd) {
          throw new GVariantError('a tuple with members outside of it');
        }
        return member.decode(bytes.subarray(start, position), depth);
      });
      return values as unknown as T;
    },
  };
}

function sizeOf(members: readonly Codec<unknown>[], alignment: number): number | undefined {
  let size = 0;
  for (const member of members) {
    if (member.fixedSize === undefined) return undefined;
    size = align(size, member.alignment) + member.fixedSize;
  }
  return members.length === 0 ? 1 : align(size, alignment);
}

/** `m…`: a value or nothing. */
export function maybe<T>(child: Codec<T>): Codec<T | null> {
  const terminator = child.fixedSize === undefined ? 1 : 0;
  return {
    type: `m${child.type}`,
    alignment: child.alignment,
    fixedSize: undefined,
    encode(value) {
      if (value === null) return Buffer.alloc(0);
      return Buffer.concat([child.encode(value), Buffer.alloc(terminator)]);
    },
    decode: (bytes, depth) =>
      bytes.length === 0 ? null : child.decode(bytes.subarray(0, bytes.length - terminator), depth),
  };
}
