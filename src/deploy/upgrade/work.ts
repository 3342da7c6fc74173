import type { Deployment } from '../../boot/choice.ts';
import type { PineError } from '../../error.ts';
import type { Digest } from '../../image/digest.ts';
import type { ObjectSource } from '../../plan/object-source.ts';
import type { Segment } from '../../plan/segment.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Progress } from '../../ports/progress.ts';
import type { Machine } from '../machine.ts';
import type { Origin } from '../origin/origin.ts';
import type { HealthBaseline } from '../state.ts';
import type { Target } from '../target.ts';

/** How an image is made: its plan, and what the ranges of that are of. */
export interface Recipe {
  readonly base: PositionedReader;
  readonly segments: AsyncIterable<Segment>;
}

/** Everything that the writing part of an upgrade needs. It is decided before the first write. */
export interface Work {
  readonly machine: Machine;
  /** The only slot that is written (S1). */
  readonly target: Target;
  readonly deployment: Deployment;
  /** The argument block that the deployment gets. */
  readonly block: number;
  /** Conflicts under /etc end it before it is staged. */
  readonly strict: boolean;
  readonly tries: number;
  /** Seconds that the trial may take. */
  readonly deadline: number;
  readonly version: string;
  /** Throws STATE_HOOK_REFUSED when a hook of this machine is against it. */
  readonly askBeforeArming: () => Promise<void>;
  readonly image: Digest;
  /** The last 64 KiB of the slot. */
  readonly trailer: Buffer;
  /** Where the image's bytes come from: the running slot, literals or deltas, objects. */
  readonly recipe: (slot: PositionedReader) => Recipe;
  /**
   * The same image without the files that `error` is about, where there is another way to it. Throws `error` where there is none,
   * and what a remote throws.
   */
  readonly recipeWithoutFiles?: (error: PineError) => Promise<(slot: PositionedReader) => Recipe>;
  /** The same image without a byte of this machine, for when the running slot turns out to be damaged. */
  readonly segmentsWithoutBase: () => AsyncIterable<Segment>;
  readonly objects: ObjectSource;
  /** How the image came, once it is whole. */
  readonly origin: () => Origin;
  /** Bytes that a run which was cut left durable in the target (S7). */
  readonly resumeAt: number;
  /** The boot order to be put back once the slot is whole again, where it is written with what it held. */
  readonly relist?: readonly number[];
  /** After so many bytes the target is flushed and writing.json replaced. */
  readonly checkpointBytes: number;
  readonly baseline: HealthBaseline;
  /** What the history says of why it was armed, where that is not plain. */
  readonly reason?: string;
  readonly progress?: Progress | undefined;
  /** Tells the user something that is worth knowing and no error. */
  readonly note: (text: string) => void;
}

/** What every step at a slot needs, whether the deployment in it is a new one or not. */
export type SlotWork = Pick<
  Work,
  'machine' | 'target' | 'deployment' | 'image' | 'trailer' | 'resumeAt' | 'relist' | 'progress'
>;

/** What writing an image needs besides. */
export type ImageWork = SlotWork &
  Pick<
    Work,
    'recipe' | 'recipeWithoutFiles' | 'segmentsWithoutBase' | 'objects' | 'checkpointBytes' | 'note'
  >;

/** What arming a deployment needs, whether its slot was written for it or not. */
export type ArmingWork = Pick<
  Work,
  | 'machine'
  | 'deployment'
  | 'block'
  | 'tries'
  | 'version'
  | 'askBeforeArming'
  | 'baseline'
  | 'reason'
  | 'note'
> & { readonly target: Pick<Target, 'running'> };

/** A step of an upgrade: small, and harmless when it is done twice (S7). */
export interface Step<W = Work> {
  readonly name: string;
  run(work: W): Promise<void>;
}
