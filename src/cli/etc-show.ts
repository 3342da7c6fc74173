import { type DifferenceOptions, printDifferences } from './etc-differences.ts';
import { etcPath } from './etc-path.ts';
import { type MachineOptions, openMachine } from './machine-options.ts';
import { formatTime, print } from './output.ts';

type Options = MachineOptions & DifferenceOptions & { readonly json?: boolean };

/** `pinectl etc show`: what a revision changed, or a file as it was then. */
export async function show(
  name: string,
  argument: string | undefined,
  options: Options,
): Promise<void> {
  const { openHistory, parentSource, sourceOf } = await import('../deploy/etc-history/sources.ts');
  const { findRevision } = await import('../etc/history/find-revision.ts');
  const repository = await openHistory(await openMachine(options));
  const revision = await findRevision(repository, name);
  const source = sourceOf(repository, revision);
  if (argument !== undefined) {
    const { getContent, getItem } = await import('../etc/history/item.ts');
    const content = await getContent(source, await getItem(source, etcPath(argument)));
    print(options.json, { content: content.toString('base64') }, () => '');
    if (!options.json) process.stdout.write(content);
    return;
  }
  const { compare } = await import('../etc/history/compare.ts');
  const { id, time, subject, origin } = revision;
  if (!options.json) {
    const details = Object.entries(origin).map(([key, value]) => `${key.padEnd(10)} ${value}`);
    const head = [
      `revision   ${id}`,
      `time       ${formatTime(time)}`,
      ...details,
      '',
      subject,
      '',
    ];
    process.stdout.write(`${head.join('\n')}\n`);
  }
  const before = await parentSource(repository, revision);
  const differences = await printDifferences(before, source, compare(before, source), options);
  if (options.json) print(true, { ...revision, differences }, () => '');
}
