import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';

const names = (await buildProgram([])).commands.map((command) => command.name());

/** A command with its arguments, options and texts, and all below it. */
async function load(name: string): Promise<Command[]> {
  const { commands } = await buildProgram(['node', 'pinectl', name]);
  const found = commands.find((command) => command.name() === name) ?? new Command();
  const withChildren = (command: Command): Command[] => [
    command,
    ...command.commands.flatMap(withChildren),
  ];
  return withChildren(found);
}

/** What --help prints. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) }).outputHelp();
  return text;
}

describe('every command', () => {
  test('is one of those that there are', () => expect(names.length).toBeGreaterThan(30));

  test.each(names)('%s has --json, and --help with examples of itself', async (name) => {
    for (const command of await load(name)) {
      const path =
        command.parent === null || command.name() === name ? name : `${name} ${command.name()}`;
      const help = helpOf(command);
      if (command.commands.length > 0) continue;
      expect(help, path).toMatch(/\n(Examples?|Example):\n/);
      // hijack is run from the single executable.
      const examples = help.slice(help.search(/\nExamples?:\n/));
      expect(examples, path).toMatch(new RegExp(`pinectl(-linux-x64)? ${path}\\b`));
      expect(help, path).toContain('--json');
      // No line is wider than a terminal, but for what has to be copied whole.
      const wide = help.split('\n').filter((line) => line.length > 120);
      expect(wide, path).toEqual([]);
    }
  });
});
