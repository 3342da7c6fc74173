import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyDisk } from './lab.ts';
import { CutDisk, type PowerCut } from './power-cut.ts';
import { type Verdict, verdictOn } from './verdict.ts';
import type { WriteLog } from './write-log.ts';

/** A machine's disk as it was when its writes began to be kept, and these. */
export interface Recording {
  /** `before.img` lies here, and what is tried goes here. */
  readonly folder: string;
  readonly log: WriteLog;
}

/**
 * Judges each cut on a disk that is as the cut leaves it. `judge` says what it saw, or rejects; it must leave the disk as it
 * is. The cuts are dealt out to so many lanes, which work at the same time.
 */
export async function judgeCuts(
  { folder, log }: Recording,
  phase: string,
  cuts: readonly PowerCut[],
  judge: (disk: string, index: number) => Promise<string>,
  lanes = 1,
): Promise<Verdict[]> {
  const sorted = [...cuts].sort((one, other) => one.at - other.at || one.durable - other.durable);
  const verdicts = Array.from({ length: lanes }, async (_, lane) => {
    const path = await copyDisk(
      join(folder, 'before.img'),
      join(folder, `${phase.replaceAll(/\W+/g, '-')}-${lane}.img`),
    );
    const disk = new CutDisk(path, log);
    const seen: Verdict[] = [];
    for (const [index, cut] of sorted.entries()) {
      if (index % lanes !== lane) continue;
      const where = `request ${cut.at}, ${cut.lost}`;
      seen.push(await verdictOn(phase, where, () => disk.show(cut, () => judge(path, index))));
    }
    for (const end of ['', '.console', '.control']) rmSync(`${path}${end}`, { force: true });
    return seen;
  });
  return (await Promise.all(verdicts)).flat();
}
