import type { Revision } from '../etc/history/repository.ts';
import { etcPath } from './etc-path.ts';
import { type MachineOptions, openMachine } from './machine-options.ts';
import { formatTime, print } from './output.ts';

interface Options extends MachineOptions {
  readonly branch: string;
  readonly maxCount?: number;
}

/** `pinectl etc log`. */
export async function log(argument: string | undefined, options: Options): Promise<void> {
  const { openHistory } = await import('../deploy/etc-history/sources.ts');
  const { findRevision } = await import('../etc/history/find-revision.ts');
  const { changesOf } = await import('../etc/history/log.ts');
  const repository = await openHistory(await openMachine(options));
  const first = await findRevision(repository, options.branch);
  const revisions: Revision[] = [];
  for await (const revision of changesOf(repository, first.id, etcPath(argument))) {
    if (revisions.length === options.maxCount) break;
    revisions.push(revision);
  }
  print(options.json, { revisions }, () => revisions.map(describe).join('\n'));
}

function describe({ id, time, subject, origin }: Revision): string {
  const { deployment } = origin;
  return `${id.slice(0, 10)}  ${formatTime(time)}  ${subject}${deployment === undefined ? '' : `  [${deployment}]`}`;
}
