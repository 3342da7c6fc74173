import { BlockCompressor } from '../../../src/lz4/block-compressor.ts';
import { BlockWindow } from '../../../src/lz4/block-window.ts';
import { legacyBlockSize, legacyMagic } from '../../../src/lz4/legacy-frame.ts';
import { gzip } from '../../gzip/support.ts';
import { generator } from './small-elf.ts';

/** How the content is packed: as `lz4 -l -9` does it, or as nothing does it that pine knows. */
export type Packing = 'lz4' | 'another lz4' | 'gzip' | 'stored';

/** A file as a kernel for x86 is: a setup header, a compressed payload, and what unpacks it behind. */
export function makeKernel(content: Uint8Array, packing: Packing = 'lz4', seed = 1): Buffer {
  const [sectors, payloadOffset] = [3, 300];
  const random = generator(seed);
  const before = Buffer.alloc((sectors + 1) * 512 + payloadOffset, 'real mode code ');
  const behind = Buffer.from(Array.from({ length: 3000 }, () => random() & 255));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  const payload = packed(content, packing);
  before[0x1f1] = sectors;
  before.write('HdrS', 0x202);
  before.writeUInt16LE(0x020f, 0x206);
  before.writeUInt32LE(payloadOffset, 0x248);
  // What gzip makes has the length of the content in itself.
  const tail = packing === 'gzip' ? Buffer.alloc(0) : size;
  before.writeUInt32LE(payload.length + tail.length, 0x24c);
  return Buffer.concat([before, payload, tail, behind]);
}

function packed(content: Uint8Array, packing: Packing): Buffer {
  if (packing === 'stored') return Buffer.from(content);
  return packing === 'gzip' ? gzip(content) : makeFrame(content, packing);
}

/** A legacy frame; another one has nothing but literals. */
export function makeFrame(content: Uint8Array, packing: 'lz4' | 'another lz4'): Buffer {
  const parts: Buffer[] = [word(legacyMagic)];
  for (let at = 0; at < content.length; at += legacyBlockSize) {
    const block = content.subarray(at, at + legacyBlockSize);
    const pieces = packing === 'lz4' ? compressed(block) : [literals(block)];
    const bytes = Buffer.concat(pieces);
    parts.push(word(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

function compressed(block: Uint8Array): Buffer[] {
  const pieces: Buffer[] = [];
  const window = new BlockWindow();
  const compressor = new BlockCompressor(window);
  window.enter(block.length);
  let added = 0;
  for (const piece of compressor.compress()) {
    if (piece === undefined) added += window.add(block.subarray(added));
    else pieces.push(Buffer.from(piece));
  }
  return pieces;
}

function literals(block: Uint8Array): Buffer {
  const rest = block.length - 15;
  const lengths = Buffer.alloc(Math.floor(rest / 255) + 2, 255);
  lengths[0] = 0xf0;
  lengths[lengths.length - 1] = rest % 255;
  return Buffer.concat([lengths, block]);
}

function word(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}
