import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import type { ConflictReason } from '../../../src/etc/conflicts.ts';

/** A side of a case, as fixtures/etc-merge.toml has it. */
export type Side =
  | string
  | {
      readonly text?: string;
      readonly base64?: string;
      /** So many numbered lines, after `prefix`. */
      readonly lines?: number;
      readonly prefix?: string;
      readonly link?: string;
      readonly folder?: Readonly<Record<string, Side>>;
      readonly fifo?: boolean;
      /** Octal. */
      readonly mode?: string;
      readonly owner?: string;
      readonly xattrs?: Readonly<Record<string, string>>;
    };

export interface MergeCase {
  readonly name: string;
  readonly why: string;
  readonly path: string;
  readonly old?: Side;
  readonly new?: Side;
  readonly local?: Side;
  readonly result?: Side;
  readonly beside?: Side;
  readonly conflict?: ConflictReason;
  readonly marks?: readonly string[];
  /** The reason of a conflict that is there already, where, and what lies beside it. */
  readonly before?: ConflictReason;
  readonly beforePath?: string;
  readonly besideBefore?: Side;
  /** What ostree leaves; absent where it has no such thing. */
  readonly ostree?: 'local' | 'new' | 'gone' | 'other' | 'refused';
}

/** The table of merges, fixtures/etc-merge.toml. */
export function readMergeCases(): readonly MergeCase[] {
  const path = new URL('../../../fixtures/etc-merge.toml', import.meta.url);
  return parse(readFileSync(path, 'utf8')).case as unknown as readonly MergeCase[];
}

/** The content of a file of a case. */
export function contentOf(side: Side): Buffer {
  if (typeof side === 'string') return Buffer.from(side);
  if (side.base64 !== undefined) return Buffer.from(side.base64, 'base64');
  const numbered = Array.from({ length: side.lines ?? 0 }, (_, index) => `line number ${index}\n`);
  return Buffer.from((side.text ?? '') + (side.prefix ?? '') + numbered.join(''));
}

/** Mode and owner of a side; by default what root makes. */
export function attributesOf(side: Side): { mode: number; uid: number; gid: number } {
  const { mode, owner, folder } = typeof side === 'string' ? {} : side;
  const [uid = 0, gid = 0] = (owner ?? '0:0').split(':').map(Number);
  return { mode: Number.parseInt(mode ?? (folder === undefined ? '644' : '755'), 8), uid, gid };
}
