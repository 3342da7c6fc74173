import { encodeIndex } from '../../../src/delta/chain/delta-index.ts';
import { compressDelta } from '../../../src/delta/encode/compress.ts';
import { encodeDelta } from '../../../src/delta/encode/encode-delta.ts';
import { writePatch } from '../../../src/delta/encode/patch.ts';
import { DeltaSinks } from '../../../src/delta/encode/sinks.ts';
import { itemKind } from '../../../src/delta/format/delta-format.ts';
import type { DeltaEnd } from '../../../src/delta/format/header.ts';
import { fromNothing } from '../../../src/delta/format/nothing.ts';
import { signDelta } from '../../../src/delta/sign-delta.ts';
import type { UpgradeRemote } from '../../../src/deploy/upgrade/survey.ts';
import { openPlan, type Plan } from '../../../src/plan/plan-file.ts';
import { bytesReader } from '../../../src/ports/positioned-reader.ts';
import type { SecretKey } from '../../../src/trust/keys.ts';
import { patchOf } from '../../delta/support/patch-of.ts';
import type { Release } from './release.ts';
import { missing } from './remote.ts';

/** The delta between two releases, made as if each image were one file. */
export async function makeDelta(
  from: Release,
  to: Release,
  keys: readonly SecretKey[],
): Promise<Buffer> {
  const sinks = new DeltaSinks();
  const { pair, patch } = await patchOf(from.image, to.image);
  sinks.plan.addNumber(itemKind.patch);
  sinks.plan.addNumber(to.image.length);
  sinks.plan.addSigned(0);
  for (const number of [from.image.length, patch.mask, patch.copies.count]) {
    sinks.plan.addNumber(number);
  }
  writePatch(pair, patch, sinks);
  sinks.finish();
  const end = ({ checksum, imageDigest }: Release) => ({ commit: checksum, image: imageDigest });
  return Buffer.concat(await signDelta(await compressDelta(end(from), end(to), sinks), keys));
}

/** The delta between two releases as `pinectl delta generate` makes it. */
export async function generateBetween(
  from: Release,
  to: Release,
  keys: readonly SecretKey[],
): Promise<Buffer> {
  const end = ({ checksum, imageDigest, image }: Release) => {
    return { commit: checksum, image: imageDigest, reader: bytesReader(image) };
  };
  return Buffer.concat(await signDelta((await encodeDelta(end(from), end(to))).delta, keys));
}

/** A delta that copies what both releases have; their tables are patched, other objects are literals. */
export async function makeDeltaOfObjects(
  from: Release,
  to: Release,
  keys: readonly SecretKey[],
): Promise<Buffer> {
  const sinks = new DeltaSinks();
  const [old, plan] = [await planOf(from), await planOf(to)];
  let oldEnd = 0;
  let at = 0;
  for await (const segment of plan.segments()) {
    const { kind, length } = segment;
    const found = kind === 'object' ? await old.find(segment.checksum) : undefined;
    const bytes = to.image.subarray(at, at + length);
    const number = { zeros: itemKind.zeros, literal: itemKind.patch, object: itemKind.literal };
    sinks.plan.addNumber(
      found === undefined ? number[kind as keyof typeof number] : itemKind.extent,
    );
    sinks.plan.addNumber(length);
    if (found !== undefined) {
      sinks.plan.addSigned(found.offset - oldEnd);
      oldEnd = found.offset + length;
    } else if (kind === 'literal') {
      const reference = from.image.subarray(0, 5000);
      const { pair, patch } = await patchOf(reference, bytes);
      sinks.plan.addSigned(-oldEnd);
      for (const each of [reference.length, patch.mask, patch.copies.count]) {
        sinks.plan.addNumber(each);
      }
      writePatch(pair, patch, sinks);
      oldEnd = reference.length;
    } else if (kind === 'object') sinks.literals.add(bytes);
    at += length;
  }
  sinks.finish();
  const end = ({ checksum, imageDigest }: Release) => ({ commit: checksum, image: imageDigest });
  return Buffer.concat(await signDelta(await compressDelta(end(from), end(to), sinks), keys));
}

function planOf({ plan }: Release): Promise<Plan> {
  return openPlan(bytesReader(plan));
}

/** A delta that takes nothing of the old image, which may be none. */
export async function makeFullDelta(
  to: Release,
  keys: readonly SecretKey[],
  from: DeltaEnd = fromNothing,
): Promise<Buffer> {
  const sinks = new DeltaSinks();
  sinks.plan.addNumber(itemKind.literal);
  sinks.plan.addNumber(to.image.length);
  sinks.literals.add(to.image);
  sinks.finish();
  const end = { commit: to.checksum, image: to.imageDigest };
  return Buffer.concat(await signDelta(await compressDelta(from, end, sinks), keys));
}

/** Deltas that a remote has: with `files`, what their sources would fetch without. */
export interface OfferedDelta {
  readonly from: string;
  readonly to: string;
  readonly bytes: Buffer;
  readonly made?: number;
  readonly scratch?: number;
  readonly files?: number;
}

/** The part of a remote that gives these deltas, and an index that tells of all that lead to `to`. */
export function deltasRemote(
  to: string,
  deltas: readonly OfferedDelta[],
): Pick<UpgradeRemote, 'fetchDelta' | 'fetchDeltaIndex'> {
  const known = new Set(deltas.map(({ from }) => from));
  const sources = [...known].map((commit) => {
    const own = deltas.filter(({ from }) => from === commit);
    const leading = own.filter((delta) => delta.to === to || known.has(delta.to));
    const links = leading.map((delta) => ({
      from: commit,
      to: delta.to,
      size: delta.bytes.length,
      made: delta.made ?? 0,
      scratch: delta.scratch ?? 0,
    }));
    return { commit, files: own.find(({ files }) => files !== undefined)?.files, links };
  });
  return {
    fetchDeltaIndex: async () => Buffer.from(encodeIndex(to, { sources, more: false })),
    async *fetchDelta(ends, { from }) {
      const found = deltas.find((delta) => delta.from === ends.from && delta.to === ends.to);
      if (found === undefined) throw missing('a delta');
      for (let at = from; at < found.bytes.length; at += 50_000) {
        yield found.bytes.subarray(at, at + 50_000);
      }
    },
  };
}

/** The part of a remote that gives this delta, in pieces. `asked` is told where each request begins. */
export function deltaRemote(
  delta: Buffer,
  asked: (from: number) => void = () => {},
): Pick<UpgradeRemote, 'fetchDelta'> {
  return {
    async *fetchDelta(_, { from }) {
      asked(from);
      for (let at = from; at < delta.length; at += 50_000) yield delta.subarray(at, at + 50_000);
    },
  };
}
