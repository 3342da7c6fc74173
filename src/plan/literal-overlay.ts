import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { Plan } from './open-plan.ts';

interface LiteralRun {
  /** In the image. */
  readonly position: number;
  length: number;
  /** Among the plan's literal bytes. */
  readonly offset: number;
}

/**
 * A reader of an image whose literals (superblock and tables) come from its plan, and all else from `device`: so that
 * what files there are can be told even when the tables on the device are damaged.
 */
export async function overlayLiterals(
  device: PositionedReader,
  plan: Plan,
): Promise<PositionedReader> {
  const runs = await literalRuns(plan);
  return {
    size: plan.imageSize,
    async read(position, length) {
      const run = runs.find((entry) => position >= entry.position && position < end(entry));
      if (run === undefined) return device.read(position, length);
      const first = Math.min(length, end(run) - position);
      const bytes = await plan.readLiteral(run.offset + position - run.position, first);
      if (first === length) return bytes;
      return Buffer.concat([bytes, await device.read(position + first, length - first)]);
    },
  };
}

const end = ({ position, length }: LiteralRun) => position + length;

/** Literals that lie one behind the other are one run, so that there are only a few. */
async function literalRuns(plan: Plan): Promise<readonly LiteralRun[]> {
  const runs: LiteralRun[] = [];
  let position = 0;
  let offset = 0;
  for await (const { kind, length } of plan.segments()) {
    if (kind === 'literal') {
      const last = runs.at(-1);
      if (last !== undefined && end(last) === position) last.length += length;
      else runs.push({ position, length, offset });
      offset += length;
    }
    position += length;
  }
  return runs;
}
