import { stat } from 'node:fs/promises';
import type { Repository } from '../repo/repository.ts';
import { withPlan } from './commit-image.ts';
import { nothing } from './delta-path.ts';

/** What a commit's plan and each of its files take as they are fetched. */
export interface FetchedSizes {
  readonly plan: number;
  readonly objects: ReadonlyMap<string, number>;
}

/** The sizes of a commit of this repository; `undefined` when something is missing. */
export async function fetchedSizes(
  repository: Repository,
  commit: string,
): Promise<FetchedSizes | undefined> {
  if (!repository.has(commit, 'plan')) return undefined;
  try {
    return await withPlan(repository, commit, async (plan) => {
      const objects = new Map<string, number>();
      for await (const segment of plan.segments()) {
        if (segment.kind !== 'object') continue;
        const { size } = await stat(repository.objectFile(segment.checksum, 'filez'));
        objects.set(segment.checksum, size);
      }
      const { size } = await stat(repository.objectFile(commit, 'plan'));
      return { plan: size, objects };
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is to be fetched of a commit by whoever has the image of `from`. */
export async function missingBytes(
  repository: Repository,
  { plan: planSize, objects }: FetchedSizes,
  from: string,
): Promise<number | undefined> {
  let bytes = planSize;
  for (const size of objects.values()) bytes += size;
  if (from === nothing) return bytes;
  if (!repository.has(from, 'plan')) return undefined;
  return withPlan(repository, from, async (plan) => {
    for await (const segment of plan.segments()) {
      if (segment.kind === 'object') bytes -= objects.get(segment.checksum) ?? 0;
    }
    return bytes;
  });
}
