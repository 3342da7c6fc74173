import type { Status } from '../deploy/status.ts';
import type { InstallerRun, StepTime, ToldStory } from '../take-over/story.ts';
import { formatTime } from './output.ts';

/** The take-over that made a machine: all of it as long as what it installed runs, then one line. */
export function describeTakeOver(
  { record, confirmed, ...story }: NonNullable<Status['takeOver']>,
  running: string,
): string[] {
  const { system, hostName, kernel, time } = record;
  const head = `taken over ${formatTime(time)} from ${system} (${hostName})`;
  if (record.deployment !== running) return [head];
  return [
    `${head}, kernel ${kernel}`,
    ...describeStory(story, record.storyAt !== undefined),
    ...(confirmed === undefined
      ? []
      : [`  confirmed ${formatTime(confirmed.time)} by ${confirmed.by}`]),
  ];
}

/** What was prepared and installed, and how long each step took. */
export function describeStory({ preparation, runs }: ToldStory, kept: boolean): string[] {
  const cuts = runs.filter(({ end }) => end === 'cut').length;
  const starts = `${runs.length} ${runs.length === 1 ? 'start' : 'starts'}`;
  return [
    ...(preparation.length === 0 ? [] : [`  prepared  ${describeSteps(preparation)}`]),
    ...(kept ? [] : ['  installed on a disk that had no place to keep the steps']),
    ...(runs.length === 0
      ? []
      : [`  installed with ${starts}${cuts === 0 ? '' : `, ${cuts} cut`}`]),
    ...runs.map((run) => `    ${formatTime(run.time)} ${describeSteps(run.steps)}${ending(run)}`),
  ];
}

/** Steps with their times: `shrink 47 s, write slot 60 s`. Those that took no second are left out. */
export function describeSteps(steps: readonly StepTime[]): string {
  const told = steps
    .filter(({ seconds }) => seconds !== 0)
    .map(({ name, seconds }) => (seconds === undefined ? name : `${name} ${seconds} s`));
  return told.join(', ') || 'each step in less than a second';
}

function ending({ end, reason }: InstallerRun): string {
  if (end === 'done') return '';
  return end === 'cut' ? ': cut there' : `: stopped: ${reason}`;
}
