import { PineError } from '../../error.ts';

/** A change of kernel arguments, each a word `NAME` or `NAME=VALUE`, as rpm-ostree's options mean it. */
export interface ArgumentsEdit {
  /** Added at the end, also when the same word is there. */
  readonly append: readonly string[];
  readonly appendIfMissing: readonly string[];
  /** `NAME` for the only one of that name, or the whole word. */
  readonly delete: readonly string[];
  readonly deleteIfPresent: readonly string[];
  /** `NAME=VALUE` for the only one of that name, or `NAME=OLD=NEW`. */
  readonly replace: readonly string[];
}

/** Set by pine after the deployment's own, so that another value would say something else than what counts. */
const setByPine = ['panic', 'oops', 'softlockup_panic', 'hung_task_panic', 'BOOT_IMAGE', 'initrd'];
/** What would keep pine's initramfs, and with it the time limit of a trial, from being started. */
const wouldSkipPine = ['rdinit', '--'];
/** The one name of pine's own that is the administrator's (docs/initramfs.md). */
const ours = ['pine.shell'];

/**
 * The arguments after an edit: first what is deleted, then what is replaced, then what is appended. Throws
 * INPUT_KERNEL_ARGUMENTS for a word that can't be one, NOT_FOUND_KERNEL_ARGUMENT for one that is not there.
 */
export function editArguments(present: string, edit: ArgumentsEdit): string {
  for (const word of Object.values(edit).flat()) checkWord(word);
  let words = present.split(' ').filter((word) => word !== '');
  for (const word of edit.delete) words = words.toSpliced(findOne(words, word), 1);
  for (const word of edit.deleteIfPresent) {
    if (candidates(words, word).length > 0) words = words.toSpliced(findOne(words, word), 1);
  }
  for (const word of edit.replace) words = replaced(words, word);
  words = [...words, ...edit.append];
  for (const word of edit.appendIfMissing) if (!words.includes(word)) words.push(word);
  return words.join(' ');
}

/** Whether an edit asks for anything. */
export function isEmptyEdit(edit: ArgumentsEdit): boolean {
  return Object.values(edit).flat().length === 0;
}

function replaced(words: readonly string[], word: string): string[] {
  const [name = '', value, newValue] = splitAtMost(word, 3);
  if (value === undefined) throw invalid('NAME=VALUE or NAME=OLD=NEW', word);
  const old = newValue === undefined ? undefined : `${name}=${value}`;
  // `root=UUID=abc` has the shape of NAME=OLD=NEW: it is that only if the old one is there.
  if (old !== undefined && words.includes(old)) {
    return words.with(words.indexOf(old), `${name}=${newValue}`);
  }
  return words.with(findOne(words, name), word);
}

/** At `=`, into so many parts; the last keeps the rest. */
function splitAtMost(word: string, parts: number): string[] {
  const all = word.split('=');
  return [
    ...all.slice(0, parts - 1),
    ...(all.length < parts ? [] : [all.slice(parts - 1).join('=')]),
  ];
}

const nameOf = (word: string) => word.split('=')[0] ?? '';

function candidates(words: readonly string[], wanted: string): number[] {
  return words.flatMap((word, index) =>
    word === wanted || (!wanted.includes('=') && nameOf(word) === wanted) ? [index] : [],
  );
}

function findOne(words: readonly string[], wanted: string): number {
  const [first, ...more] = candidates(words, wanted);
  const isAmbiguous =
    more.length > 0 && new Set(candidates(words, wanted).map((at) => words[at])).size > 1;
  if (first !== undefined && !isAmbiguous) return first;
  throw new PineError(
    isAmbiguous ? 'INPUT_KERNEL_ARGUMENT_AMBIGUOUS' : 'NOT_FOUND_KERNEL_ARGUMENT',
    isAmbiguous
      ? 'more than one kernel argument has this name'
      : 'there is no such kernel argument',
    {
      expected: isAmbiguous ? 'the whole word, with its value' : 'one of the present arguments',
      found: wanted,
      where: words.join(' ') || 'no arguments',
      remedy: 'print them with `pinectl kargs`',
    },
  );
}

function checkWord(word: string): void {
  // The kernel takes `-` and `_` in a name for the same.
  const name = nameOf(word);
  const known = name.replaceAll('-', '_');
  if (!/^[^\s=][^\s]*$/.test(word)) throw invalid('one word, NAME or NAME=VALUE', word);
  if (wouldSkipPine.includes(name)) throw invalid('none that passes pine over', word);
  if (setByPine.includes(known) || (/^pine\./.test(name) && !ours.includes(name))) {
    throw invalid('none of those that pine sets itself', word);
  }
}

function invalid(expected: string, found: string): PineError {
  return new PineError(
    'INPUT_KERNEL_ARGUMENTS',
    'this can not be a kernel argument of a deployment',
    {
      expected,
      found: JSON.stringify(found),
      where: 'the command line',
      remedy: 'see docs/kernel-arguments.md for what can be set',
    },
  );
}
