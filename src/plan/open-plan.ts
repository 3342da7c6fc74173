import { cachePages } from '../ports/page-cache.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import {
  corruptPlan,
  maxSegments,
  type PlanShape,
  planMagic,
  planParts,
  planVersion,
  recordKind,
  recordSize,
} from './plan-format.ts';
import { PlanIndex } from './plan-index.ts';
import { decodeRecord, type StoredRecord } from './record.ts';
import { recordAt } from './record-search.ts';
import { maxLiteral, type Segment } from './segment.ts';

/** A full plan: which bytes an image is made of, and where in it an object lies. */
export interface Plan {
  readonly imageSize: number;
  /** How many segments are objects. */
  readonly objects: number;
  /** From byte 0 to the end, checked as they come. Reads 64 KiB at a time. */
  segments(): AsyncIterable<Segment>;
  /** The record of the segment that has a byte of the image. Throws CORRUPT_PLAN when none has. */
  recordAt(position: number): Promise<StoredRecord>;
  /** Literal bytes by where they lie among all literal bytes. */
  readLiteral(offset: number, length: number): Promise<Buffer>;
  /** Where the content of an object lies in the image, by its checksum in hex. */
  find(checksum: string): Promise<{ offset: number; length: number } | undefined>;
  /** Reads everything, and throws CORRUPT_PLAN where something is not as the format says. */
  check(): Promise<void>;
}

/**
 * Opens the file of a full plan. Takes the same memory whatever the plan's size (S9).
 *
 * Throws CORRUPT_PLAN, here and later, for a file that is not as docs/plan-format.md says.
 */
export async function openPlan(reader: PositionedReader): Promise<Plan> {
  const shape = await readHeader(reader);
  const cached = cachePages(reader, { pageSize: 4096, pages: 64 });
  const index = new PlanIndex(cached, shape);
  const segments = () => readSegments(reader, shape);
  return {
    imageSize: shape.imageSize,
    objects: shape.objects,
    segments,
    recordAt: (position) => recordAt(cached, shape, position),
    readLiteral: (offset, length) => {
      if (offset + length > shape.literalBytes) throw new RangeError('outside of the literals');
      return reader.read(planParts(shape).literals + offset, length);
    },
    find: (checksum) => index.find(checksum),
    async check() {
      for await (const _ of segments()) {
        // Each is checked on its way.
      }
      await index.check();
    },
  };
}

async function readHeader(reader: PositionedReader): Promise<PlanShape> {
  if (reader.size < recordSize) {
    throw corruptPlan(`a header of ${recordSize} bytes`, `${reader.size} bytes`, 'the whole plan');
  }
  const header = await reader.read(0, recordSize);
  if (!header.subarray(0, 8).equals(planMagic)) {
    throw corruptPlan(planMagic.toString(), header.toString('hex', 0, 8), 'byte 0 of the plan');
  }
  const version = header.readUInt32LE(8);
  if (version !== planVersion) {
    throw corruptPlan(`version ${planVersion}`, `version ${version}`, 'byte 8 of the plan');
  }
  const shape = {
    imageSize: header.readUIntLE(24, 6),
    segments: header.readUInt32LE(12),
    objects: header.readUInt32LE(16),
    literalBytes: header.readUIntLE(32, 6),
  };
  const { end } = planParts(shape);
  const unused = [header.readUInt32LE(20), header.readUInt16LE(30), header.readUIntLE(38, 5)];
  if (unused.some((number) => number !== 0) || header.readUIntLE(43, 5) !== 0) {
    throw corruptPlan('zeros', header.toString('hex', 20), 'byte 20 of the plan and behind');
  }
  if (shape.segments > maxSegments || shape.objects > shape.segments || end !== reader.size) {
    throw corruptPlan(`${end} bytes by its header`, `${reader.size} bytes`, 'the whole plan');
  }
  return shape;
}

/** Reads records in pieces, and checks that they cover the image without gap or overlap. */
async function* readSegments(reader: PositionedReader, shape: PlanShape): AsyncIterable<Segment> {
  const piece = Math.floor(65536 / recordSize);
  const parts = planParts(shape);
  let position = 0;
  let literals = 0;
  let objects = 0;
  for (let first = 0; first < shape.segments; first += piece) {
    const count = Math.min(piece, shape.segments - first);
    const records = await reader.read(recordSize * (1 + first), recordSize * count);
    for (let index = 0; index < count; index++) {
      const where = `segment ${first + index}`;
      const record = decodeRecord(records.subarray(recordSize * index), where);
      if (record.position !== position || record.length > shape.imageSize - position) {
        throw corruptPlan(
          `byte ${position} of ${shape.imageSize} next`,
          `${record.length} bytes at ${record.position}`,
          where,
        );
      }
      position += record.length;
      if (record.kind === recordKind.zeros) {
        yield { kind: 'zeros', length: record.length };
      } else if (record.kind === recordKind.object) {
        objects++;
        yield { kind: 'object', length: record.length, checksum: record.checksum };
      } else {
        const { length } = record;
        const isNext = record.literalOffset === literals && length <= shape.literalBytes - literals;
        if (!isNext || length > maxLiteral) {
          throw corruptPlan(
            `at most ${maxLiteral} bytes at ${literals} of ${shape.literalBytes} literal bytes`,
            `${length} at ${record.literalOffset}`,
            where,
          );
        }
        const bytes = await reader.read(parts.literals + literals, length);
        literals += length;
        yield { kind: 'literal', length, bytes };
      }
    }
  }
  const sums = { imageSize: position, objects, literalBytes: literals };
  for (const name of ['imageSize', 'objects', 'literalBytes'] as const) {
    if (sums[name] !== shape[name]) {
      throw corruptPlan(`${name} ${shape[name]}, by its header`, `${sums[name]}`, 'all segments');
    }
  }
}
