import type { Loss } from './loss.ts';
import { PowerCut } from './power.ts';
import { afterCut, type World } from './world.ts';

export interface EveryCut {
  /** A fresh world for each run. */
  readonly begin: () => Promise<World>;
  /** What is done with it, from start to end. */
  readonly operation: (world: World) => Promise<unknown>;
  /** What may become of unflushed changes. */
  readonly losses: (cut: number) => readonly Loss[];
  /** Says what is wrong with the world after a cut. */
  readonly judge: (after: World) => Promise<readonly string[]>;
  /** Begins at the end and stops at the first problem of this kind: enough to see that a mutation is caught. */
  readonly until?: RegExp;
}

export interface CutResult {
  /** Writes that the operation makes when nothing cuts it. */
  readonly writes: number;
  /** States that were judged. */
  readonly states: number;
  /** What was wrong, each with where the power went and what was lost. */
  readonly problems: readonly string[];
}

/** Runs an operation again and again, cuts the power at each of its writes, and judges every state. */
export async function cutEverywhere(options: EveryCut): Promise<CutResult> {
  const whole = await options.begin();
  await options.operation(whole);
  const writes = whole.power.writes;
  const problems: string[] = [];
  let states = 0;
  const cuts = Array.from({ length: writes }, (_, index) => index + 1);
  for (const cut of options.until === undefined ? cuts : cuts.reverse()) {
    const world = await options.begin();
    world.power.cutAt(cut);
    try {
      await options.operation(world);
      problems.push(`the cut at write ${cut} went unnoticed`);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    for (const loss of options.losses(cut)) {
      states += 1;
      const where = `write ${cut} (${world.power.log.at(-1)}), unflushed ${loss.name}`;
      try {
        const found = await options.judge(afterCut(world, loss));
        problems.push(...found.map((problem) => `${problem} after ${where}`));
      } catch (error) {
        problems.push(
          `${error instanceof Error ? `${error.name}: ${error.message}` : error} after ${where}`,
        );
      }
    }
    if (problems.some((problem) => options.until?.test(problem))) break;
  }
  return { writes, states, problems };
}
