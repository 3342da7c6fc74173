import { isUtf8 } from 'node:buffer';
import type { Difference } from './compare.ts';
import type { Item, ItemSource } from './item.ts';
import type { Attributes } from './sidecar.ts';

export interface DifferenceTextOptions {
  /** Prints also what not everyone on the machine may read. */
  readonly secrets: boolean;
}

/** More changed lines than anybody reads, and more than can be found in bounded time. */
const mostEdits = 5000;

/**
 * A difference as text that `patch -p1` takes where it is one of lines. What is secret, binary or not recorded is told
 * and not shown. Ends in a line end.
 */
export async function differenceText(
  old: ItemSource,
  current: ItemSource,
  difference: Difference,
  options: DifferenceTextOptions,
): Promise<string> {
  const lines = headLines(difference);
  const [before, after] = [difference.old, difference.new];
  const isAboutContent = difference.change !== 'changed' || difference.aspects.includes('content');
  if (isAboutContent && (hasContent(before) || hasContent(after))) {
    const hidden = await whyHidden(old, current, difference, options);
    lines.push(
      hidden === undefined
        ? await contentLines(old, current, difference)
        : `${hidden}: ${difference.path} ${difference.change === 'changed' ? 'differs' : difference.change}`,
    );
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function headLines({ path, change, aspects, old, new: current }: Difference): string[] {
  const lines = [`diff a/${path} b/${path}`];
  if (change === 'added' && current !== undefined) {
    lines.push(`added ${describeAttributes(current.attributes)}`);
  } else if (change === 'deleted' && old !== undefined) {
    lines.push(`deleted ${describeAttributes(old.attributes)}`);
  } else if (old !== undefined && current !== undefined) {
    const [a, b] = [old.attributes, current.attributes];
    if (aspects.includes('kind')) lines.push(`kind ${a.kind} -> ${b.kind}`);
    if (aspects.includes('mode')) lines.push(`mode ${octal(a.mode)} -> ${octal(b.mode)}`);
    if (aspects.includes('owner')) lines.push(`owner ${a.uid}:${a.gid} -> ${b.uid}:${b.gid}`);
    if (aspects.includes('xattrs')) lines.push(`xattrs ${names(a)} -> ${names(b)}`);
  }
  return lines;
}

/** Why a content is not shown; `undefined` when it is text that may be. */
async function whyHidden(
  old: ItemSource,
  current: ItemSource,
  difference: Difference,
  { secrets }: DifferenceTextOptions,
): Promise<string | undefined> {
  for (const [source, item] of [
    [old, difference.old],
    [current, difference.new],
  ] as const) {
    if (!hasContent(item)) continue;
    const { withheld, size } = item.attributes;
    if (withheld === 'secret' && !secrets) return 'secret';
    const content = await source.content(item);
    if (content === undefined)
      return withheld === 'large' ? `large (${size} bytes)` : 'not recorded';
    if (content.includes(0) || !isUtf8(content)) return `binary (${content.length} bytes)`;
  }
  return undefined;
}

async function contentLines(
  old: ItemSource,
  current: ItemSource,
  { path, old: before, new: after }: Difference,
): Promise<string> {
  const text = async (source: ItemSource, item: Item | undefined) =>
    hasContent(item) ? ((await source.content(item))?.toString('utf8') ?? '') : '';
  const { FILE_HEADERS_ONLY, createTwoFilesPatch } = await import('diff');
  const patch = createTwoFilesPatch(
    hasContent(before) ? `a/${path}` : '/dev/null',
    hasContent(after) ? `b/${path}` : '/dev/null',
    await text(old, before),
    await text(current, after),
    hasContent(before) ? old.name : undefined,
    hasContent(after) ? current.name : undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY, maxEditLength: mostEdits },
  );
  return patch ?? `differs in more than ${mostEdits} lines`;
}

function hasContent(item: Item | undefined): item is Item {
  return item?.attributes.kind === 'file' || item?.attributes.kind === 'symlink';
}

/** `file 0640 0:42`. */
export function describeAttributes({ kind, mode, uid, gid }: Attributes): string {
  return `${kind} ${octal(mode)} ${uid}:${gid}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function names({ xattrs }: Attributes): string {
  return xattrs.map(({ name }) => name).join(',') || 'none';
}
