import type { BootLoader } from '../boot/boot-loader.ts';
import { argumentBlocks, type Deployment } from '../boot/choice.ts';

/** A deployment and the argument block that it is in. */
export type Numbered = Deployment & { readonly block: number };

/** Every argument block that can be read, whether the choice names it or not, by number. */
export async function readDeployments(bootLoader: BootLoader): Promise<readonly Numbered[]> {
  const found: Numbered[] = [];
  for (const block of argumentBlocks) {
    const deployment = await bootLoader.readDeployment(block);
    if (deployment !== undefined) found.push({ ...deployment, block });
  }
  return found;
}

/**
 * An argument block that `listed` does not name: if there is one, of a deployment that lived in the slot that
 * is written now, so that no block goes on describing what is no longer there; else an empty one, so that what the
 * other slot holds can still be gone back to.
 */
export function freeBlock(
  deployments: readonly Numbered[],
  listed: readonly number[],
  slot: Deployment['slot'],
): number | undefined {
  const free = argumentBlocks.filter((block) => !listed.includes(block));
  const stale = deployments.filter((deployment) => deployment.slot === slot);
  const unused = free.find((block) => !deployments.some((entry) => entry.block === block));
  return free.find((block) => stale.some((entry) => entry.block === block)) ?? unused ?? free[0];
}

/** An id for a new deployment of `commit` that none of `taken` has: `0123456789ab.0`. */
export function newDeploymentId(commit: string, taken: ReadonlySet<string>): string {
  for (let serial = 0; ; serial += 1) {
    const id = `${commit.slice(0, 12)}.${serial}`;
    if (!taken.has(id)) return id;
  }
}
