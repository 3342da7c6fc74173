import type { DeltaFile } from '../decode/delta-file.ts';
import { boundsOf, readItem } from '../decode/read-item.ts';
import { readTables } from '../decode/read-tables.ts';
import type { Link } from './delta-index.ts';

/** How many bytes of its image a delta makes, and does not copy or leave zero. Reads only its plan. */
export async function madeBytes(delta: DeltaFile): Promise<number> {
  const sizes = boundsOf(delta.header);
  const plan = delta.stream('plan');
  let made = 0;
  let oldEnd = 0;
  try {
    // What they are made of makes no difference to how many bytes there are.
    await readTables(plan, sizes.new, delta.name);
    for (let at = 0; at < sizes.new; ) {
      const item = await readItem(plan, { at, oldEnd, sizes, where: delta.name });
      at += item.length;
      oldEnd = item.oldEnd;
      if (item.kind !== 'extent' && item.kind !== 'zeros') made += item.length;
    }
  } finally {
    await plan.close();
  }
  return made;
}

/** The room that a delta takes on a disk while it is applied: what is kept for the next one, and what is decompressed. */
export async function deltaNeeds(delta: DeltaFile): Promise<Pick<Link, 'made' | 'scratch'>> {
  return { made: await madeBytes(delta), scratch: delta.header.scratch };
}
