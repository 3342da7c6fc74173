import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { ObjectSource } from './object-source.ts';
import type { Plan } from './open-plan.ts';
import { corruptPlan, recordKind } from './plan-format.ts';
import type { StoredRecord } from './record.ts';

/** Objects up to this size are kept until the next one is read, in bytes. */
const keptObject = 4 * 1024 * 1024;

type ObjectRecord = Extract<StoredRecord, { kind: typeof recordKind.object }>;

/** An image that is there already, and its plan, if that is known. */
export interface Base {
  readonly device: PositionedReader;
  readonly plan: Plan | undefined;
}

/**
 * The image that a plan makes, to be read by position before anybody has written it: what `base` has is read there, another
 * object is fetched when a byte of it is asked for. Of the plan nothing is held (S9): what is asked for is looked up in it.
 */
export function planReader(plan: Plan, objects: ObjectSource, base: Base): PositionedReader {
  const size = plan.imageSize;
  let kept: { checksum: string; bytes: Buffer } | undefined;
  let last: StoredRecord | undefined;

  const recordAt = async (position: number): Promise<StoredRecord> => {
    const isLast =
      last !== undefined && position >= last.position && position < last.position + last.length;
    const record = isLast && last !== undefined ? last : await plan.recordAt(position);
    last = record;
    return record;
  };

  const readObject = async (
    { checksum, length }: ObjectRecord,
    from: number,
    to: number,
  ): Promise<Buffer> => {
    if (kept?.checksum === checksum) return kept.bytes.subarray(from, to);
    const found = await base.plan?.find(checksum);
    if (found?.length === length) return base.device.read(found.offset + from, to - from);
    const whole = length <= keptObject;
    const bytes = await collect(
      objects.open(checksum, length),
      whole ? 0 : from,
      whole ? length : to,
    );
    if (!whole) return bytes;
    kept = { checksum, bytes };
    return bytes.subarray(from, to);
  };

  const readPart = async (record: StoredRecord, from: number, to: number): Promise<Buffer> => {
    switch (record.kind) {
      case recordKind.zeros:
        return Buffer.alloc(to - from);
      case recordKind.literal:
        return plan.readLiteral(record.literalOffset + from, to - from);
      case recordKind.object:
        return readObject(record, from, to);
    }
  };

  return {
    size,
    async read(position, length) {
      const end = position + length;
      if (position < 0 || end > size) {
        throw corruptPlan(`an image of ${size} bytes`, `${length} at ${position}`, 'the plan');
      }
      const parts: Buffer[] = [];
      for (let at = position; at < end; ) {
        const record = await recordAt(at);
        const to = Math.min(record.length, end - record.position);
        parts.push(await readPart(record, at - record.position, to));
        at = record.position + to;
      }
      return Buffer.concat(parts);
    },
  };
}

/** The bytes `from` to `to` of a stream. */
async function collect(
  chunks: AsyncIterable<Uint8Array>,
  from: number,
  to: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let done = 0;
  for await (const chunk of chunks) {
    const [start, end] = [Math.max(0, from - done), Math.min(chunk.length, to - done)];
    if (end > start) parts.push(Uint8Array.from(chunk.subarray(start, end)));
    done += chunk.length;
    if (done >= to) break;
  }
  return Buffer.concat(parts);
}
