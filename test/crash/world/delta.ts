import { compressDelta } from '../../../src/delta/encode/compress.ts';
import { findPatch, writePatch } from '../../../src/delta/encode/patch.ts';
import { DeltaSinks } from '../../../src/delta/encode/sinks.ts';
import { itemKind } from '../../../src/delta/format/delta-format.ts';
import { signDelta } from '../../../src/delta/sign-delta.ts';
import type { UpgradeRemote } from '../../../src/deploy/upgrade/survey.ts';
import type { SecretKey } from '../../../src/trust/keys.ts';
import type { Release } from './release.ts';

/** The delta between two releases, made as if each image were one file. */
export async function makeDelta(
  from: Release,
  to: Release,
  keys: readonly SecretKey[],
): Promise<Buffer> {
  const sinks = new DeltaSinks();
  const { pair, patch } = await findPatch(from.image, to.image);
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
