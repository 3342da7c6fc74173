import { showPath } from './etc-path.ts';
import { type MachineOptions, openMachine } from './machine-options.ts';
import { print } from './output.ts';

const letters = { added: 'A', changed: 'M', deleted: 'D' } as const;

/** `pinectl etc status`. */
export async function status(options: MachineOptions): Promise<void> {
  const { readEtcStatus } = await import('../deploy/etc-history/status.ts');
  const found = await readEtcStatus(await openMachine(options));
  const { changes, marks, conflicts } = found;
  print(options.json, found, () =>
    [
      ...(changes.length === 0 ? [`nothing differs from the ${found.default}`] : []),
      ...changes.map(({ path, change, aspects, note }) => {
        const details = [...aspects.filter((aspect) => aspect !== 'content'), note ?? ''];
        const text = details.filter((word) => word !== '').join(', ');
        return `${letters[change]}  ${showPath(path)}${text === '' ? '' : `  (${text})`}`;
      }),
      ...marks.map((path) => `marked: ${showPath(path)}`),
      ...conflicts.map(({ path, reason, beside }) =>
        [`conflict: ${showPath(path)}: ${reason}`, beside && `release's side: ${showPath(beside)}`]
          .filter(Boolean)
          .join(', '),
      ),
    ].join('\n'),
  );
}
