/**
 * The story of a take-over: what the installer has done and when, over all its starts. It lies in free sectors of the
 * disk, outside of every file system, as lines `TIME KIND TEXT` behind a first line that names the take-over.
 */
export interface StoryLine {
  /** Seconds since 1970. */
  readonly time: number;
  /**
   * `prepare`: a step began while the old system ran; `prepared`: the last of them has ended. `start`: the installer was
   * started. `step`: a step of it began. `first-write`, `commitment`, `done`: it came there. `stopped`: it gave up.
   */
  readonly kind: (typeof kinds)[number];
  readonly text: string;
}

const kinds = [
  ...(['prepare', 'prepared', 'start', 'step', 'first-write', 'commitment'] as const),
  ...(['done', 'stopped'] as const),
] as const;

/** Bytes that a story has at most: lines beyond are left out. */
export const storySize = 64 * 1024;

/** How a story begins: whatever begins otherwise is another one, or none. */
export function storyHead(id: string): string {
  return `pine-hijack 1 ${id}\n`;
}

/** Writes lines as they stand behind the first. */
export function formatStory(lines: readonly StoryLine[]): string {
  return lines
    .map(({ time, kind, text }) => `${[time, kind, text].join(' ').trimEnd()}\n`)
    .join('');
}

/** Reads the lines of a story; those that a power cut tore are left out. */
export function parseStory(text: string): StoryLine[] {
  const found: StoryLine[] = [];
  for (const line of text.split('\n')) {
    const [, time, kind, said = ''] =
      /^([0-9]{1,12}) ([a-z-]{4,12})(?: ([\x20-\x7e]{1,300}))?$/.exec(line) ?? [];
    const known = kinds.find((one) => one === kind);
    if (known !== undefined) found.push({ time: Number(time), kind: known, text: said });
  }
  return found;
}

/** The lines of what lies on the disk, if it is the story of this take-over. */
export function storyOf(bytes: Buffer, id: string): StoryLine[] {
  const text = bytes.subarray(0, storySize).toString('latin1').replaceAll('\0', '');
  return text.startsWith(storyHead(id)) ? parseStory(text) : [];
}

/** A step, and how long it took. */
export interface StepTime {
  readonly name: string;
  /** `undefined` when the power was cut in it. */
  readonly seconds: number | undefined;
}

/** One start of the installer. */
export interface InstallerRun {
  /** Seconds since 1970. */
  readonly time: number;
  readonly steps: readonly StepTime[];
  /** `cut`: nothing says how it ended. */
  readonly end: 'done' | 'stopped' | 'cut';
  /** Why it stopped. */
  readonly reason?: string;
}

/** A story, step by step. */
export interface ToldStory {
  /** What was done while the old system ran. */
  readonly preparation: readonly StepTime[];
  readonly runs: readonly InstallerRun[];
}

/** Tells a story by its runs: a step has ended when the next line of its run was written. */
export function tellStory(lines: readonly StoryLine[]): ToldStory {
  const parts: StoryLine[][] = [[]];
  for (const line of lines) {
    if (line.kind === 'start') parts.push([]);
    parts.at(-1)?.push(line);
  }
  const [preparation = [], ...runs] = parts;
  return { preparation: stepTimes(preparation), runs: runs.map(tellRun) };
}

function tellRun(lines: readonly StoryLine[]): InstallerRun {
  const last = lines.at(-1);
  const end = last?.kind === 'done' || last?.kind === 'stopped' ? last.kind : 'cut';
  return {
    ...{ time: lines[0]?.time ?? 0, steps: stepTimes(lines), end },
    ...(end === 'stopped' && { reason: last?.text ?? '' }),
  };
}

function stepTimes(lines: readonly StoryLine[]): StepTime[] {
  return lines.flatMap(({ kind, text, time }, index) => {
    if (kind !== 'step' && kind !== 'prepare') return [];
    const next = lines[index + 1];
    return [
      { name: text, seconds: next === undefined ? undefined : Math.max(next.time - time, 0) },
    ];
  });
}
