import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { outputHere, runHere } from './support/run-here.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

describe.skipIf(missing('xattr') !== undefined)('what users are told of bundles', () => {
  const repo = ['--repo', at('repo')];
  const create = ['bundle', 'create', 'r', ...repo, '--sign-key', at('k.secret')];
  const version = '1.0\x1b[31m\nsigned  by release.pub';
  let commits: string[];

  beforeAll(async () => {
    await outputHere('init', ...repo);
    for (const name of ['k', 'other']) await outputHere('keys', 'generate', '-o', at(name));
    mkdirSync(at('tree'));
    commits = [];
    for (const text of ['one', 'two']) {
      writeFileSync(at('tree/file'), text);
      const commit = ['commit', '--ref', 'r', '--no-recipe', ...repo];
      const metadata = ['--add-metadata-string', `version=${version}`];
      const signed = ['--sign-key', at('k.secret'), '--subject', 'a\rb\x07\tc'];
      commits.push((await outputHere(...commit, ...metadata, ...signed, at('tree'))).trim());
    }
    await outputHere(...create, '-o', at('b'));
  });

  test('a version and a subject are shown as text, in one line, and told as they are in JSON', async () => {
    const shown = await outputHere('bundle', 'show', at('b'));
    expect(shown).toContain('version 1.0\\x1b[31m\\x0asigned  by release.pub  a\\x0db\\x07\tc\n');
    expect(shown).not.toMatch(/^signed {2}by/m);
    const told = JSON.parse(await outputHere('bundle', 'show', at('b'), '--json'));
    expect(told).toMatchObject({ version, subject: 'a\rb\x07\tc' });
  });

  test('it is --key that counts for show, and for apply with --repo', async () => {
    for (const command of [['show'], ['apply', ...repo]]) {
      const [name = '', ...rest] = command;
      const { error } = await runHere('bundle', name, at('b'), '--key', at('other.pub'), ...rest);
      expect(error?.code).toBe('TRUST_UNKNOWN_KEY');
      expect(error?.details.expected).toContain(at('other.pub'));
      expect(error?.toText()).toMatch(/no key of --key(.|\n)*with --key/);
      expect(error?.toText()).not.toContain('/etc/pine/keys');
    }
  });

  test("--from '' is the delta from nothing; one from the same commit is refused with the right help", async () => {
    const made = ['-o', at('c'), '--json'];
    const from = async (...options: string[]) =>
      JSON.parse(await outputHere(...create, ...made, ...options)).from;
    expect(await from('--from', '')).toEqual(['']);
    expect(await from('--from', '', '--full')).toEqual(['']);
    expect(await from('--from', 'r^', '--from', '')).toEqual([commits[0], '']);
    const { error } = await runHere(...create, '-o', at('same'), '--from', 'r');
    expect(error?.code).toBe('USAGE_COMMAND_LINE');
    expect(error?.details.remedy).toBe('run `pinectl bundle create --help`');
    expect(existsSync(at('same'))).toBe(false);
  });
});
