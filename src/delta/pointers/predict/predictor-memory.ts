import { BtfMemory } from '../btf/memory.ts';
import { maxSites } from '../sites.ts';
import { LearnedTargets } from './learned-targets.ts';
import { pagesOfSites } from './recent-sites.ts';

/**
 * What predictors take, for one after the other: made anew for each file it would be taken back too late. 0.7 MiB, and what
 * is known of types (S9).
 */
export class PredictorMemory {
  readonly sites = pagesOfSites();
  readonly learned = new LearnedTargets();
  readonly btf = new BtfMemory();
  readonly values = new Float64Array(maxSites);
  /** For each site that was predicted last: where the copies lead its target, and what its value is relative to. */
  readonly mapped = new Float64Array(maxSites);
  readonly site = new Float64Array(maxSites);
  readonly base = new Float64Array(maxSites);
  /** And whether its target is memory behind the content of the file. */
  readonly inMemory = new Uint8Array(maxSites);
}
