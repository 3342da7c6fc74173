import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { composeImage, readComposed } from '../../src/delta/chain/composed-image.ts';
import { deltaNeeds } from '../../src/delta/chain/made-bytes.ts';
import { compressDelta } from '../../src/delta/encode/compress.ts';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { DeltaSinks } from '../../src/delta/encode/sinks.ts';
import { itemKind } from '../../src/delta/format/delta-format.ts';
import { inspectDelta } from '../../src/delta/inspect.ts';
import { gzipPrograms } from '../../src/gzip/effort.ts';
import { bodyOf, gzip, headerSize } from '../gzip/support.ts';
import { missing } from '../support/requirements.ts';
import { applyDelta, codeOf, deltaBytes, makeImage, openBytes } from './support/image-pair.ts';
import { memoryScratch } from './support/memory-scratch.ts';
import { generator, makeElf } from './support/small-elf.ts';
import { makeFrame, makeKernel, type Packing } from './support/small-kernel.ts';

/** What a kernel's content may be: a program, in which functions grew. */
function program(grown: number): Buffer {
  const functions = Array.from({ length: 40 }, (_, index) => (index % 9 === 0 ? grown : 8));
  return makeElf({ functions, seed: 5 });
}

async function deltaOf(before: Uint8Array, after: Uint8Array) {
  const other = 'some other file';
  const from = await makeImage({ vmlinuz: before, other }, 'a');
  const to = await makeImage({ vmlinuz: after, other }, 'b');
  const { delta, contributions } = await encodeDelta(from, to);
  const file = deltaBytes(delta);
  return { from, to, file, contributions, opened: await openBytes(file) };
}

async function roundTrip(before: Uint8Array, after: Uint8Array) {
  const made = await deltaOf(before, after);
  const scratch = memoryScratch();
  const { bytes } = await applyDelta(made.opened, made.from.reader, scratch);
  expect(bytes.equals(made.to.bytes)).toBe(true);
  expect(scratch.most()).toBe(made.opened.header.scratch);
  expect(scratch.isEmpty()).toBe(true);
  return made;
}

describe('a kernel whose payload is LZ4', () => {
  test('is compared by what is compressed in it', async () => {
    const [before, after] = [program(8), program(9)];
    const packed = await roundTrip(makeKernel(before), makeKernel(after));
    expect(packed.opened.header.scratch).toBe(before.length);
    const unknown = await roundTrip(
      makeKernel(before, 'another lz4'),
      makeKernel(after, 'another lz4'),
    );
    expect(unknown.opened.header.scratch).toBe(0);
    const without = await roundTrip(
      Buffer.concat([Buffer.alloc(1), makeKernel(before)]),
      Buffer.concat([Buffer.alloc(1), makeKernel(after)]),
    );
    expect(packed.file.length).toBeLessThan(0.6 * without.file.length);
  });

  test('is told by `delta show`', async () => {
    const { opened, to } = await roundTrip(makeKernel(program(8)), makeKernel(program(9)));
    let at = 0;
    const kinds = [];
    for await (const { kind, length, content, ...item } of inspectDelta(opened)) {
      expect(item.at).toBe(at);
      at += length;
      kinds.push(kind);
      if (kind === 'recompressed') expect(content).toBe(program(9).length);
    }
    expect(at).toBe(to.image.size);
    expect(kinds.filter((kind) => kind === 'recompressed')).toHaveLength(1);
    expect(await deltaNeeds(opened)).toMatchObject({ scratch: program(8).length });
  });

  test('of two blocks', async () => {
    const random = generator(3);
    const noise = Buffer.from(Array.from({ length: 300_000 }, () => random() & 255));
    // Content that gives little and takes long does not pay here.
    const content = (middle: string) =>
      Buffer.concat([noise, Buffer.alloc(8 << 20, middle), noise.subarray(1000)]);
    const { opened, file } = await roundTrip(
      makeKernel(Buffer.concat([noise, noise, noise, content('a lot')])),
      makeKernel(Buffer.concat([noise, noise, noise, content('a lot of this')])),
    );
    expect(opened.header.scratch).toBeGreaterThan(8 << 20);
    expect(file.length).toBeLessThan(20_000);
  }, 60_000);

  test.each<[string, Packing, Packing]>([
    ['the new one', 'lz4', 'another lz4'],
    ['the old one, which only has to be read', 'another lz4', 'lz4'],
    ['one that is stored', 'stored', 'lz4'],
  ])('is compared as it lies where pine would not make %s', async (_, old, made) => {
    const { opened } = await roundTrip(makeKernel(program(8), old), makeKernel(program(9), made));
    expect(opened.header.scratch > 0).toBe(old === 'another lz4');
  });

  test('is compared as it lies where its header lies', async () => {
    const good = makeKernel(program(9));
    for (const [at, value] of [
      [0x248, 0x7fffffff],
      [0x24c, 0xffffffff],
      [0x24c, 3],
      [0x202, 0],
      [0x206, 0],
    ] as const) {
      const odd = Buffer.from(good);
      odd.writeUInt32LE(value, at);
      const { opened } = await roundTrip(makeKernel(program(8)), odd);
      expect(opened.header.scratch).toBe(0);
    }
    // Cut within the header, and within the payload.
    for (const length of [0x24f, 1000]) {
      await roundTrip(makeKernel(program(8)), good.subarray(0, length));
    }
  });

  test('one that is mostly nothing is compared as it lies: a delta could not say so much', async () => {
    const zeros = (byte: number) => makeKernel(Buffer.alloc(100_000, byte));
    const { opened } = await roundTrip(zeros(0), zeros(1));
    expect(opened.header.scratch).toBe(0);
  });

  test('goes through a chain of deltas', async () => {
    const [one, two, three] = [program(8), program(9), program(12)].map((each) => makeKernel(each));
    if (!one || !two || !three) throw new TypeError('three kernels');
    const [first, second] = [await deltaOf(one, two), await deltaOf(two, three)];
    const [made, scratch] = [memoryScratch(), memoryScratch()];
    const map = await composeImage(first.opened, first.from.reader, made.add, scratch);
    const between = readComposed(map, first.from.reader, made);
    const { bytes } = await applyDelta(second.opened, between, scratch);
    expect(bytes.equals(second.to.bytes)).toBe(true);
    expect(scratch.isEmpty()).toBe(true);
    expect(made.most()).toBe((await deltaNeeds(first.opened)).made);
  });
});

describe.skipIf(missing('gzip') !== undefined)('a file that gzip made', () => {
  /** What a server has so: manuals and change logs. */
  const text = (lines: number, from = 0) =>
    Buffer.from(
      Array.from({ length: lines }, (_, index) => {
        const number = (index + from) * 7919;
        return `${number}: ${(number * number) % 100_003} and ${number % 997}\n`;
      }).join(''),
    );
  const [before, after] = [text(4000), Buffer.concat([Buffer.from('new\n'), text(4000)])];

  test.each([4, 5, 6, 7, 8, 9])(
    'of level %i, is compared by what is compressed in it',
    async (level) => {
      const { opened, file } = await roundTrip(gzip(before, level), gzip(after, level));
      // Those that no header tells are left: they are rare.
      const isKnown = level === 6 || level === 9;
      expect(opened.header.scratch).toBe(isKnown ? before.length : 0);
      if (isKnown) expect(file.length).toBeLessThan(2000);
      else expect(file.length).toBeGreaterThan(20_000);
    },
  );

  test.each(gzipPrograms)('as %s makes it, and with a name', async (program) => {
    const { opened } = await roundTrip(
      Buffer.concat([header('old'), await bodyOf(before, { program })]),
      Buffer.concat([header('new'), await bodyOf(after, { program })]),
    );
    expect(opened.header.scratch).toBe(before.length);
    // Only where it has to be is it one that an older pinectl can't take.
    expect(opened.header.version).toBe(program === 'zlib' ? 4 : 3);
  });

  test('of a program: its pointers are predicted', async () => {
    const packed = await roundTrip(gzip(program(8)), gzip(program(9)));
    expect(packed.opened.header.scratch).toBe(program(8).length);
    const plain = await roundTrip(program(8), program(9));
    expect(packed.file.length).toBeLessThan(plain.file.length + 200);
  });

  test('is the payload of a kernel', async () => {
    const [old, made] = [makeKernel(program(8), 'gzip'), makeKernel(program(9), 'gzip')];
    const { opened } = await roundTrip(old, made);
    expect(opened.header.scratch).toBe(program(8).length);
    // Other programs pack others.
    expect((await roundTrip(makeKernel(program(8)), made)).opened.header.scratch).toBe(0);
  });

  test.each<[string, (content: Uint8Array) => Buffer]>([
    ['level 1', (content) => gzip(content, 1)],
    ['two members', (content) => Buffer.concat([gzip(content), gzip(content)])],
    ['bytes behind it', (content) => Buffer.concat([gzip(content), Buffer.alloc(9)])],
    ['another checksum', (content) => changed(gzip(content), -8)],
    ['another size', (content) => changed(gzip(content), -1)],
    ['a damaged middle', (content) => changed(gzip(content), -5000)],
    ['a name without an end', (content) => header('x'.repeat(600), gzip(content))],
    ['a header alone', () => gzip(Buffer.alloc(0)).subarray(0, 10)],
    ['what zlib makes otherwise', (content) => gzipSync(content, { memLevel: 1, level: 9 })],
  ])('is compared as it lies with %s', async (_, make) => {
    const { opened } = await roundTrip(make(before), make(after));
    expect(opened.header.scratch).toBe(0);
  });

  function header(name: string, behind: Uint8Array = Buffer.alloc(0)): Buffer {
    const start = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 2, 3]);
    return Buffer.concat([start, Buffer.from(`${name}\0`), behind]);
  }

  function changed(bytes: Buffer, at: number): Buffer {
    const place = bytes.length + at;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    return bytes;
  }
});

describe('a recompressed part that lies', () => {
  /** Content that takes itself, and numbers as a good delta would have them. */
  const content = program(8);
  const frame = makeFrame(content, 'lz4');
  const good = {
    ...{ length: frame.length, codec: 1, offset: 0, oldLength: frame.length },
    ...{ oldSize: content.length, newSize: content.length, mask: 0, block: frame.length - 8 },
    ...{ copied: content.length, scratch: content.length },
  };

  async function ending(changes: Partial<typeof good>, base: Uint8Array = frame): Promise<string> {
    const expected = base.length === changes.length ? base : frame;
    const item = { ...good, ...changes };
    const from = { commit: 'a'.repeat(64), image: { size: base.length, sha256: '1'.repeat(64) } };
    const image = { size: item.length, sha256: '2'.repeat(64) };
    const sinks = new DeltaSinks();
    sinks.plan.addNumber(itemKind.recompressed);
    sinks.plan.addNumber(item.length);
    sinks.plan.addNumber(item.codec);
    sinks.plan.addSigned(item.offset);
    for (const number of [item.oldLength, item.oldSize, item.newSize, item.mask, 1]) {
      sinks.plan.addNumber(number);
    }
    sinks.control.addNumber(item.block);
    sinks.control.addNumber(0);
    sinks.control.addNumber(item.copied);
    sinks.control.addSigned(0);
    sinks.literals.add(new Uint8Array(Math.min(2 ** 20, Math.max(0, item.newSize - item.copied))));
    sinks.runs.addNumber(item.copied);
    sinks.scratch = item.scratch;
    const delta = await compressDelta(from, { commit: 'b'.repeat(64), image }, sinks);
    const scratch = memoryScratch();
    const { bytesReader } = await import('../../src/ports/positioned-reader.ts');
    const code = await codeOf(
      openBytes(deltaBytes(delta)).then((opened) =>
        applyDelta(opened, bytesReader(base), scratch).then(({ bytes }) => {
          if (!bytes.equals(expected)) throw new Error('other bytes');
        }),
      ),
    );
    expect(scratch.most()).toBeLessThanOrEqual(item.scratch);
    expect(scratch.isEmpty()).toBe(true);
    return code;
  }

  test('is no lie when every number is right', async () => {
    expect(await ending({})).toBe('none');
  });

  test.each<[string, Partial<typeof good>]>([
    ['another codec', { codec: 2 }],
    ['one that is not known', { codec: 3 }],
    ['no codec', { codec: 0 }],
    ['a part beyond the old image', { offset: 1 }],
    ['a part before the old image', { offset: -1 }],
    ['a longer part than the old image', { oldLength: frame.length + 1 }],
    ['a shorter part', { oldLength: frame.length - 1 }],
    ['a part of nothing', { oldLength: 0 }],
    [
      'less than is decompressed',
      { oldSize: content.length - 1, scratch: content.length - 1, copied: 10 },
    ],
    ['more than is decompressed', { oldSize: content.length + 1, scratch: content.length + 1 }],
    ['more than there is room for', { scratch: content.length - 1 }],
    ['less than the room that was asked for', { scratch: content.length + 1 }],
    [
      'a copy beyond what is decompressed',
      { copied: content.length + 1, newSize: content.length + 1 },
    ],
    ['no content', { newSize: 0, copied: 1 }],
    ['content beyond all bounds', { newSize: 2 ** 40 }],
    ['content of more than 16 times its bytes', { newSize: 16 * frame.length + 1 }],
    ['shorter content', { newSize: content.length - 1, copied: content.length - 1 }],
    ['longer content', { newSize: content.length + 50_000 }],
    ['a block of another size', { block: frame.length - 9 }],
    ['a block of no size', { block: 0 }],
    ['a block of any size', { block: 2 ** 40 }],
    ['fewer bytes of the image', { length: frame.length - 1 }],
    ['more bytes of the image', { length: frame.length + 1 }],
    ['classes that there are not', { mask: 2 ** 30 }],
  ])('%s', async (_, changes) => {
    expect(await ending(changes)).toBe('CORRUPT_DELTA');
  });

  test('S9: a bomb', async () => {
    // 64 MiB of zeros in some 260 KB.
    const bomb = makeFrame(Buffer.alloc(64 << 20), 'lz4');
    expect(await ending({ oldLength: bomb.length }, bomb)).toBe('CORRUPT_DELTA');
  });

  test.each([
    ['another file', Buffer.alloc(frame.length, 7)],
    ['damaged', Buffer.concat([frame.subarray(0, 200), Buffer.alloc(frame.length - 200, 255)])],
    ['with a block of no bytes', Buffer.concat([frame.subarray(0, 4), Buffer.alloc(frame.length)])],
  ])('an old part that is %s', async (_, base) => {
    expect(await ending({}, base)).toBe('CORRUPT_DELTA');
  });

  test.each([9, 25, 41])('none where gzip packed it, way %i', async (block) => {
    const program = gzipPrograms[block >> 4] ?? 'gzip';
    const body = await bodyOf(content, { program });
    const right = { length: body.length, oldLength: body.length, codec: 2, block };
    expect(await ending(right, body)).toBe('none');
    for (const lie of [
      { block: 3 },
      { block: 57 },
      { block: 2 ** 40 },
      { length: body.length - 1 },
      { length: body.length + 1 },
      { oldLength: body.length - 1 },
      { oldLength: 8 },
      { oldSize: content.length + 1, scratch: content.length + 1 },
      { newSize: content.length - 1000, copied: content.length - 1000 },
    ]) {
      const found = await ending({ ...right, ...lie }, body);
      expect(found, JSON.stringify(lie)).toBe('CORRUPT_DELTA');
    }
  });

  test('S9: a bomb that gzip made', async () => {
    // 64 MiB of zeros in some 65 KB.
    const bomb = gzip(Buffer.alloc(64 << 20)).subarray(headerSize);
    const lie = { codec: 2, block: 9, oldLength: bomb.length };
    expect(await ending(lie, bomb)).toBe('CORRUPT_DELTA');
  });
});
