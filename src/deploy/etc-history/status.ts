import type { Conflict } from '../../etc/conflicts.ts';
import { type Aspect, compare, type Difference } from '../../etc/history/compare.ts';
import { type PathKind, pathKind } from '../../etc/path-kinds.ts';
import { readConflicts, readMarks } from '../etc/records.ts';
import type { Machine } from '../machine.ts';
import { presentSource, withDefault } from './present.ts';

/** What of /etc is this machine's own. */
export interface EtcStatus {
  readonly deployment: string;
  /** The default that it is compared with. */
  readonly default: string;
  readonly changes: readonly EtcChange[];
  readonly marks: readonly string[];
  readonly conflicts: readonly Conflict[];
}

export interface EtcChange {
  readonly path: string;
  readonly change: Difference['change'];
  readonly aspects: readonly Aspect[];
  readonly kind: PathKind;
  /** Why its content is not in the history, if it is not. */
  readonly note?: string;
}

/** Compares /etc with what the running release ships. Throws NOT_FOUND_ETC_DEFAULT, CORRUPT_IMAGE. */
export async function readEtcStatus(machine: Machine): Promise<EtcStatus> {
  const { deployment } = machine.running;
  const present = await presentSource(machine);
  const changes: EtcChange[] = [];
  const name = await withDefault(machine, async (source) => {
    for await (const { path, change, aspects, new: current } of compare(source, present)) {
      const note = current?.attributes.withheld;
      changes.push({ path, change, aspects, kind: pathKind(path), ...(note && { note }) });
    }
    return source.name;
  });
  return {
    deployment,
    default: name,
    changes,
    marks: await readMarks(machine),
    conflicts: await readConflicts(machine, deployment),
  };
}
