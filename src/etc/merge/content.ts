import type { Sides } from '../trees/join.ts';
import { type EtcFile, readWhole, sameContent } from '../trees/tree.ts';
import { type AccountFile, mergeAccounts } from './accounts.ts';
import type { Clash, Content } from './decision.ts';
import { isText, largestText, mergeLines } from './lines.ts';

/** The three versions of a file; `base` is absent when both sides have added it. */
export interface Versions {
  readonly base: EtcFile | undefined;
  readonly next: EtcFile;
  readonly local: EtcFile;
}

export interface ContentMerged {
  readonly content: Content;
  readonly clash?: Clash;
  /** New accounts of the release that were not taken in. */
  readonly refused?: readonly string[];
}

/** Merges the content of a file that is whole on both sides. */
export async function mergeContent(
  sides: Sides,
  versions: Versions,
  accounts: { readonly file: AccountFile; readonly refused: readonly string[] } | undefined,
): Promise<ContentMerged> {
  const { base, next, local } = versions;
  const mine: ContentMerged = { content: { from: 'local', file: local } };
  if (base !== undefined) {
    const old = [sides.base, base] as const;
    if (await sameContent([sides.local, local], old))
      return { content: { from: 'next', file: next } };
    if (await sameContent([sides.next, next], old)) return mine;
  }
  if (await sameContent([sides.next, next], [sides.local, local])) return mine;
  const readable = [base, next, local].every((file) => file === undefined || isPublic(file));
  if (accounts === undefined && !readable) {
    return whole(mine, 'both sides changed a file that not everyone may read');
  }
  const texts = await readTexts(sides, versions);
  if (texts === undefined) return whole(mine, 'both sides changed a file of more than 1 MiB');
  return accounts === undefined ? lines(mine, texts) : entries(mine, accounts, texts);
}

/** Secrets are not taken apart: half of one is as bad as none. */
function isPublic({ mode }: EtcFile): boolean {
  return (mode & 0o004) !== 0;
}

interface Texts {
  readonly base: Buffer | undefined;
  readonly next: Buffer;
  readonly local: Buffer;
}

async function readTexts(
  sides: Sides,
  { base, next, local }: Versions,
): Promise<Texts | undefined> {
  const here = await readWhole(sides.local, local, largestText);
  const after = await readWhole(sides.next, next, largestText);
  const before = base && (await readWhole(sides.base, base, largestText));
  if (here === undefined || after === undefined) return undefined;
  if (base !== undefined && before === undefined) return undefined;
  return { base: before, next: after, local: here };
}

async function lines(mine: ContentMerged, texts: Texts): Promise<ContentMerged> {
  const { base, next, local } = texts;
  if (![base ?? next, next, local].every(isText)) {
    return whole(mine, 'both sides changed a file that is not text');
  }
  if (base === undefined) {
    return {
      ...mine,
      clash: { reason: 'lines', detail: 'both sides added it, with other content' },
    };
  }
  const merged = await mergeLines(base.toString(), next.toString(), local.toString());
  switch (merged.kind) {
    case 'merged':
      return { content: { from: 'both', bytes: Buffer.from(merged.text) } };
    case 'conflict':
      return { ...mine, clash: { reason: 'lines', detail: merged.detail } };
    case 'too-long':
      return whole(mine, 'both sides changed a file with too many other lines to compare');
  }
}

/** Account files may have any bytes in their descriptions: latin1 brings each one back. */
function entries(
  mine: ContentMerged,
  { file, refused }: { readonly file: AccountFile; readonly refused: readonly string[] },
  { base, next, local }: Texts,
): ContentMerged {
  const text = (bytes: Buffer | undefined) => bytes?.toString('latin1') ?? '';
  const merged = mergeAccounts(file, text(base), text(next), text(local), refused);
  const bytes = Buffer.from(merged.text, 'latin1');
  const content: Content = bytes.equals(local) ? mine.content : { from: 'both', bytes };
  const [first] = merged.conflicts;
  if (first === undefined) return { content, refused: merged.refused };
  const detail = merged.conflicts.join('; ');
  return { content, refused: merged.refused, clash: { reason: 'accounts', detail } };
}

function whole(mine: ContentMerged, detail: string): ContentMerged {
  return { ...mine, clash: { reason: 'whole', detail } };
}
