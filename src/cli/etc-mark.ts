import { etcPath, showPath } from './etc-path.ts';
import { type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

/** `pinectl etc mark`. */
export async function mark(
  argument: string | undefined,
  options: MachineOptions & { readonly remove?: boolean },
): Promise<void> {
  const { readMarks, writeMarks } = await import('../deploy/etc/records.ts');
  const machine = await openMachine(options);
  const path = argument === undefined ? undefined : etcPath(argument);
  const lock = path === undefined ? undefined : await machine.effects.lock();
  try {
    let marks = await readMarks(machine);
    if (path !== undefined) {
      const others = marks.filter((known) => known !== path);
      if (options.remove && others.length === marks.length)
        note(`${showPath(path)} was not marked`);
      marks = options.remove ? others : [...others, path].sort();
      await writeMarks(machine, marks);
      const isThere = (await machine.files.status(`${machine.etc}/${path}`)) !== undefined;
      if (!options.remove && !isThere)
        note(`there is no ${showPath(path)}: that it is missing is pinned`);
    }
    print(options.json, { marks }, () => marks.map(showPath).join('\n'));
  } finally {
    await lock?.release();
  }
}
