/** What becomes of the changes that were not flushed when the power went. */
export interface Loss {
  readonly name: string;
  /** Whether one change reached the medium. */
  keeps(): boolean;
  /** A number of 0 to `most`: how many of a journal's changes reached the medium. */
  upTo(most: number): number;
}

export const keepAll: Loss = { name: 'all kept', keeps: () => true, upTo: (most) => most };
export const dropAll: Loss = { name: 'all dropped', keeps: () => false, upTo: () => 0 };

/** A random part of the changes, the same for the same seed (xorshift32). */
export function randomLoss(seed: number): Loss {
  let state = (seed * 2654435761) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let warm = 0; warm < 8; warm += 1) next();
  return {
    name: `seed ${seed}`,
    keeps: () => next() < 0.5,
    upTo: (most) => Math.floor(next() * (most + 1)),
  };
}
