import type { DeltaFile } from '../decode/delta-file.ts';
import { readItem } from '../decode/read-item.ts';

/** How many bytes of its image a delta makes, and does not copy or leave zero. Reads only its plan. */
export async function madeBytes(delta: DeltaFile): Promise<number> {
  const { from, to } = delta.header;
  const sizes = { old: from.image.size, new: to.image.size };
  const plan = delta.stream('plan');
  let made = 0;
  let oldEnd = 0;
  try {
    for (let at = 0; at < sizes.new; ) {
      const item = await readItem(plan, { at, oldEnd, sizes, where: delta.name });
      at += item.length;
      oldEnd = item.oldEnd;
      if (item.kind === 'literal' || item.kind === 'patch') made += item.length;
    }
  } finally {
    await plan.close();
  }
  return made;
}
