import type { ImageLayout } from '../image/layout.ts';
import { encodeDetachedMetadata, withSignatures } from '../repo/detached-metadata.ts';
import type { Dictionary, Variant } from '../repo/gvariant/variant.ts';
import { encodePromised, type Promised } from '../repo/pine-metadata.ts';
import { encodeRecipe } from '../repo/recipe.ts';
import type { Repository } from '../repo/repository.ts';
import { compareBytes } from '../repo/tree.ts';
import type { SecretKey } from '../trust/keys.ts';
import type { CommitOptions } from './commit-options.ts';
import { hashPlan } from './image-promise.ts';

/** Least `compatibility` of a boot loader that starts what pine builds now (docs/architecture.md). */
const bootCompatibility = 1;

/** In the order that docs/architecture.md gives: it is part of what is hashed. */
export function commitMetadata(
  options: CommitOptions,
  layout: ImageLayout | undefined,
  image: Promised | undefined,
): Dictionary {
  const { metadata = [], recipe, bootable } = options;
  const entries: (readonly [string, Variant])[] = [...metadata];
  if (recipe !== undefined) entries.push(encodeRecipe(recipe));
  if (bootable !== undefined) {
    entries.push(['pine.boot-compat', { type: 'u', value: bootCompatibility }]);
  }
  if (layout !== undefined && image !== undefined) {
    entries.push(['pine.image.1', encodePromised(image)]);
    entries.push(['pine.plan.1', encodePromised(hashPlan(layout))]);
  }
  return [...entries, ['ostree.ref-binding', { type: 'as', value: bindingOf(options) }]];
}

/** The refs that a commit is made for, in the order of ostree: checksums are equal. */
export function bindingOf({ ref, bindRefs = [] }: CommitOptions): string[] {
  return [ref, ...bindRefs].toSorted(compareBytes);
}

/** The bytes of the commit's detached metadata, with signatures added to what is there already. */
export async function signDetached(
  repository: Repository,
  checksum: string,
  commit: Buffer,
  keys: readonly SecretKey[],
): Promise<Buffer | undefined> {
  const present = await repository.readDetachedMetadata(checksum);
  if (keys.length === 0) return present.length > 0 ? encodeDetachedMetadata(present) : undefined;
  const { signCommit } = await import('../trust/sign.ts');
  const signatures = await Promise.all(keys.map((key) => signCommit(commit, key)));
  return encodeDetachedMetadata(withSignatures(present, signatures));
}
