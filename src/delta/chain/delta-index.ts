import { PineError } from '../../error.ts';
import { isChecksum } from '../../repo/object-name.ts';
import { nothing } from '../delta-path.ts';

/** The largest index that is read (S5). */
export const indexLimit = 16 * 1024;
/** So many commits are listed, those first that need the fewest deltas. */
export const mostSources = 40;
/** So many deltas are applied one after the other. */
export const longestChain = 8;

/** One delta, as an index tells of it. */
export interface Link {
  readonly from: string;
  readonly to: string;
  /** Bytes of its file. */
  readonly size: number;
  /** Bytes of the image that it makes, and does not copy: what a chain has to keep while it is applied. */
  readonly made: number;
  /** Bytes that applying it takes on a disk beside that, for the time. */
  readonly scratch: number;
}

/** A commit from which deltas lead to the one that the index is of. */
export interface IndexedSource {
  /** `nothing` for a delta that needs no other image. */
  readonly commit: string;
  /** Bytes to fetch without a delta: plan and files that this commit has not. */
  readonly files: number | undefined;
  readonly links: readonly Link[];
}

/** What leads to a commit. Nothing in it is signed: it tells what to ask for, and never what to believe. */
export interface DeltaIndex {
  readonly sources: readonly IndexedSource[];
  /** There is more than is listed. */
  readonly more: boolean;
}

const first = 'pine-deltas 1';

/** The text of an index: docs/delta-format.md. Links lead to `to` or to another source. */
export function encodeIndex(to: string, { sources, more }: DeltaIndex): string {
  const numbers = new Map(sources.map(({ commit }, index) => [commit, index + 1]));
  const lines = sources.map(({ commit, files, links }) => {
    const fields = links.map((link) => {
      const number = link.to === to ? 0 : numbers.get(link.to);
      if (number === undefined) throw new TypeError(`${link.to} is not in the index`);
      const scratch = link.scratch === 0 ? [] : [link.scratch];
      return [number, link.size, link.made, ...scratch].join(':');
    });
    return [commit === nothing ? '-' : commit, files ?? '?', ...fields].join(' ');
  });
  return `${[first, ...lines, more ? 'more' : 'end'].join('\n')}\n`;
}

/** Reads the index of commit `to`. Throws CORRUPT_DELTA_INDEX. */
export function decodeIndex(text: string, to: string, where: string): DeltaIndex {
  const lines = text.split('\n');
  const end = lines.at(-2);
  if (lines[0] !== first || lines.at(-1) !== '' || (end !== 'end' && end !== 'more')) {
    throw corruptIndex(`${first}, lines, and end`, JSON.stringify(lines[0]?.slice(0, 40)), where);
  }
  const entries = lines.slice(1, -2).map((line) => line.split(' '));
  const names = [to, ...entries.map(([name = '']) => (name === '-' ? nothing : name))];
  if (names.length > mostSources + 1 || new Set(names).size !== names.length) {
    throw corruptIndex(`at most ${mostSources} different commits`, `${names.length - 1}`, where);
  }
  const sources = entries.map(([, files = '', ...links], index): IndexedSource => {
    const at = `${where}, line ${index + 2}`;
    const commit = names[index + 1] ?? '';
    if (!isChecksum(commit)) throw corruptIndex('a checksum', JSON.stringify(commit), at);
    return {
      commit,
      files: files === '?' ? undefined : number(files, at),
      links: links.map((link) => {
        const [target = '', size = '', made = '', scratch = '0', ...rest] = link.split(':');
        const name = names[number(target, at)];
        if (name === undefined || name === nothing || rest.length > 0) {
          throw corruptIndex('LINE:SIZE:MADE or LINE:SIZE:MADE:SCRATCH', JSON.stringify(link), at);
        }
        return {
          ...{ from: commit, to: name, size: number(size, at) },
          ...{ made: number(made, at), scratch: number(scratch, at) },
        };
      }),
    };
  });
  return { sources, more: end === 'more' };
}

function number(text: string, where: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw corruptIndex('a number', JSON.stringify(text.slice(0, 40)), where);
}

function corruptIndex(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_DELTA_INDEX', 'the list of deltas is damaged', {
    expected,
    found,
    where,
    remedy: 'write it again on the build host: pinectl delta generate, or delta prune',
  });
}
