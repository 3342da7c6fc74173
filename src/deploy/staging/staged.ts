import type { SlotName } from '../../boot/choice.ts';
import { isRecord, parseJson, text, whole } from '../json.ts';

/** A deployment that is written, read back and merged, and that no boot choice names yet: staged.json. */
export interface Staged {
  readonly deployment: string;
  readonly slot: SlotName;
  readonly commit: string;
  readonly version: string;
  readonly tries: number;
  /** Seconds that its trial may take. */
  readonly deadline: number;
  /** Health checks that failed before it, and so can't fail it. */
  readonly failing: readonly string[];
}

/** The most that staged.json may be, in bytes. */
export const stagedLimit = 64 * 1024;
const mostFailing = 200;

/** Reads staged.json. `undefined` when it is not what pine writes: then nothing is staged. */
export function parseStaged(bytes: Uint8Array): Staged | undefined {
  const value = parseJson(bytes);
  if (!isRecord(value) || value.format !== 1 || !Array.isArray(value.failing)) {
    return undefined;
  }
  const deployment = text(value.deployment, /^[0-9a-z.-]{1,32}$/);
  const slot = value.slot === 'a' || value.slot === 'b' ? value.slot : undefined;
  const commit = text(value.commit, /^[0-9a-f]{64}$/);
  const version = text(value.version, /^.{0,200}$/s);
  const [tries, deadline] = [whole(value.tries), whole(value.deadline)];
  const failing = value.failing.map((name) => text(name, /^.{1,255}$/s));
  if (deployment === undefined || slot === undefined || commit === undefined) return undefined;
  if (version === undefined || tries === undefined || deadline === undefined) return undefined;
  if (tries < 1 || tries > 9 || !failing.every((name) => name !== undefined)) return undefined;
  return { deployment, slot, commit, version, tries, deadline, failing };
}

/** The bytes of staged.json. */
export function formatStaged(staged: Staged): Buffer {
  const failing = staged.failing.slice(0, mostFailing);
  return Buffer.from(`${JSON.stringify({ format: 1, ...staged, failing })}\n`);
}
