import type { Progress } from '../ports/progress.ts';
import type { Dictionary } from '../repo/gvariant/variant.ts';
import type { Promised } from '../repo/pine-metadata.ts';
import type { Recipe } from '../repo/recipe.ts';
import type { RootChecksums } from '../repo/write-tree.ts';
import type { SecretKey } from '../trust/keys.ts';
import type { BootableOptions } from './bootable/prepare.ts';
import type { StoreStatistics } from './store-tree.ts';

export interface CommitOptions {
  readonly ref: string;
  /** Further refs that the commit is made for: machines that follow them take it once it is promoted. */
  readonly bindRefs?: readonly string[];
  /** What the commit follows; `none` for a first one. By default what the ref points to. */
  readonly parent?: string;
  readonly subject?: string;
  readonly body?: string;
  /** Seconds since 1970. It is the time of every file of the image, too. */
  readonly timestamp: number;
  /** Put first in the commit's metadata. */
  readonly metadata?: Dictionary;
  /** The git revision that the tree was built with. */
  readonly recipe?: Recipe;
  /** Whether the commit promises an image, and its plan is stored. */
  readonly image: boolean;
  /** Makes no commit when the parent has the same tree and is made for the same refs. */
  readonly skipIfUnchanged?: boolean;
  /** Makes the tree one that a machine can boot (build/bootable). */
  readonly bootable?: BootableOptions & { readonly allowIdChange?: boolean };
  /** Slots that the image must fit into: bytes, and the layout's name for messages. */
  readonly slots?: readonly { readonly name: string; readonly slotSize: number }[];
  readonly signKeys?: readonly SecretKey[];
  readonly progress?: Progress;
}

/** What was stored, next to what the tree holds. */
export interface CommitStatistics extends StoreStatistics {
  /** Bytes of all files of the tree; hard links count once. */
  readonly contentBytesTotal: number;
  /** Bytes that were not stored: the repository had them, or the tree has them twice. */
  readonly contentBytesSaved: number;
}

export interface CommitResult {
  /** The commit's checksum; the parent's when there was nothing to commit. */
  readonly commit: string;
  /** Whether nothing was committed, with `skipIfUnchanged`. */
  readonly unchanged: boolean;
  readonly parent: string | undefined;
  readonly root: RootChecksums;
  readonly image: Promised | undefined;
  readonly statistics: CommitStatistics;
  /** What the user should know, a line each. */
  readonly notes: readonly string[];
}
