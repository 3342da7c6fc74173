import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { outputHere, runHere } from './support/run-here.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

/** The code of the error that a command ends in, and what it says was found. */
async function refusal(...args: string[]): Promise<string> {
  const { error } = await runHere(...args);
  return `${error?.code}: ${error?.details.found}`;
}

describe.skipIf(missing('xattr') !== undefined)('delta and bundle, by users', () => {
  const repo = ['--repo', at('repo')];
  const toRef = ['--to', 'r', ...repo];
  const key = ['--sign-key', at('k.secret')];
  let commits: string[];

  beforeAll(async () => {
    await outputHere('init', ...repo);
    await outputHere('keys', 'generate', '-o', at('k'));
    await outputHere('keys', 'generate', '-o', at('other'));
    mkdirSync(at('tree'));
    commits = [];
    for (const text of ['one', 'two']) {
      writeFileSync(at('tree/file'), text);
      const made = await outputHere(
        'commit',
        '--ref',
        'r',
        '--no-recipe',
        ...repo,
        ...key,
        at('tree'),
      );
      commits.push(made.trim());
    }
    await outputHere('image', '--ref', 'r^', '--format', 'squashfs', '-o', at('old'), ...repo);
  });

  test('a delta that lacks the signature that is asked for is made again', async () => {
    const generate = async (...options: string[]) =>
      JSON.parse(await outputHere('delta', 'generate', ...toRef, '--json', ...options));
    expect((await generate()).made).toHaveLength(1);
    expect((await generate()).kept).toHaveLength(1);
    expect((await generate(...key)).made).toHaveLength(1);
    expect((await generate(...key)).kept).toHaveLength(1);
    // Another key: the first one's signature stays.
    const other = ['--sign-key', at('other.secret')];
    expect((await generate(...other)).made).toHaveLength(1);
    expect((await generate(...key, ...other)).kept).toHaveLength(1);
    expect((await generate('--force')).made).toHaveLength(1);
    expect((await generate(...key, ...other)).kept).toHaveLength(1);
    for (const name of ['k.pub', 'other.pub']) {
      const apply = ['delta', 'apply', 'r^..r', '--from', at('old'), '-o', at('new'), ...repo];
      expect(await outputHere(...apply, '--key', at(name))).toContain(`signed by ${at(name)}`);
    }
  });

  test('a damaged delta is found, made again, and removed by a repair', async () => {
    const generate = async (...options: string[]) =>
      JSON.parse(await outputHere('delta', 'generate', ...toRef, '--json', ...options));
    const path = join(at('repo/pine/deltas'), commits[1] ?? '', `${commits[0]}.delta`);
    rmSync(path, { force: true });
    await generate(...key);
    const bytes = readFileSync(path);
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const [kept, made] = [
      { made: [], kept: [{}] },
      { made: [{}], kept: [] },
    ];
    for (const [there, becomes] of [
      [bytes, kept],
      [damaged, made],
      [bytes.subarray(0, -1), made],
      [Buffer.alloc(0), made],
    ] as const) {
      writeFileSync(path, there);
      expect(await generate(...key)).toMatchObject(becomes);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
    writeFileSync(path, damaged);
    expect((await runHere('fsck', ...repo)).error?.code).toBe('CORRUPT_REPOSITORY');
    expect((await runHere('fsck', ...repo)).out).toContain(
      `CORRUPT_DELTA ${commits[0]}..${commits[1]}.delta: a delta is damaged`,
    );
    const other = join(at('repo/pine/deltas'), commits[1] ?? '', `${'0'.repeat(64)}.delta`);
    writeFileSync(other, bytes);
    expect(await outputHere('fsck', '--repair', ...repo)).toContain(
      `dropped: (nothing)..${commits[1]}\ndropped: ${commits[0]}..${commits[1]}\n`,
    );
    expect([existsSync(path), existsSync(other)]).toEqual([false, false]);
    expect(await outputHere('fsck', ...repo)).toContain(' 0 problems');
    // A newer pinectl's is not for this one to judge.
    const later = Buffer.from(bytes);
    later.writeUInt32LE(99, 8);
    mkdirSync(join(at('repo/pine/deltas'), commits[1] ?? ''));
    writeFileSync(other, later);
    expect(await outputHere('fsck', '--repair', ...repo)).not.toContain('dropped');
    expect(existsSync(other)).toBe(true);
    rmSync(other);
    await generate(...key);
  });

  test('a bundle has no delta without the signature that is asked for, or says so', async () => {
    const create = ['bundle', 'create', 'r', '-o', at('b'), ...repo];
    const unsigned = await runHere(...create);
    expect(unsigned.error).toBeUndefined();
    const note = `(nothing)..${commits[1]} is not signed: machines will not take it (--sign-key)\n`;
    expect(unsigned.err).toBe(note);
    // It is there now, and still not signed.
    expect((await runHere(...create)).err).toBe(note);
    expect((await runHere(...create, ...key)).err).toBe('');
    expect(await outputHere('bundle', 'show', at('b'), '--key', at('k.pub'))).toContain(
      `signed  by ${at('k.pub')}`,
    );
  });

  test('a delta leads from one commit to another', async () => {
    const same = `USAGE_COMMAND_LINE: ${commits[1]} twice`;
    expect(await refusal('delta', 'generate', ...toRef, '--from', 'r')).toBe(same);
    const create = ['bundle', 'create', 'r', '-o', at('same'), ...repo];
    expect(await refusal(...create, '--from', commits[1] ?? '')).toBe(same);
    expect(existsSync(at('same'))).toBe(false);
    const first = ['delta', 'generate', '--to', 'r^', ...repo];
    expect(await refusal(...first)).toBe(`USAGE_COMMAND_LINE: a first commit, ${commits[0]}`);
    expect(await refusal(...first, '--depth', 'x')).toBe('USAGE_COMMAND_LINE: x');
  });

  test('files that are not there are named', async () => {
    const gone = at('gone');
    const out = ['-o', at('out'), ...repo];
    for (const command of [
      ['bundle', 'show', gone],
      ['bundle', 'show', at('b'), '--key', gone],
      ['bundle', 'apply', gone, '--unsigned', ...repo],
      ['bundle', 'create', 'r', '--sign-key', gone, ...out],
      ['delta', 'show', gone],
      ['delta', 'show', 'r..r^', ...repo],
      ['delta', 'generate', '--sign-key', gone, ...toRef],
      ['delta', 'apply', gone, '--unsigned', ...out],
      ['delta', 'apply', 'r^..r', '--key', gone, ...out],
      ['delta', 'apply', 'r^..r', '--unsigned', '--from', gone, ...out],
    ]) {
      expect(await refusal(...command), command.join(' ')).toBe('NOT_FOUND_FILE: nothing');
    }
    expect(await refusal('delta', 'show', at('tree'))).toBe('NOT_FOUND_FILE: a folder');
    expect(await refusal('bundle', 'show', at('tree'))).toBe('NOT_FOUND_FILE: a folder');
    for (const [output, found] of [
      [at('gone/out'), 'NOT_FOUND_FOLDER: nothing'],
      [at('old/out'), 'NOT_FOUND_FOLDER: a file'],
      [at('tree'), 'INPUT_OUTPUT_FILE: a folder'],
    ] as const) {
      const on = ['-o', output, ...repo];
      expect(await refusal('bundle', 'create', 'r', ...key, ...on)).toBe(found);
      const apply = ['delta', 'apply', 'r^..r', '--unsigned', '--from', at('old'), ...on];
      expect(await refusal(...apply)).toBe(found);
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('a pipe is refused where positions are read, and may give a key', async () => {
    const pipe = at('pipe');
    execFileSync('mkfifo', [pipe]);
    const found = 'NOT_FOUND_FILE: a pipe, which has no positions';
    const out = ['-o', at('piped'), '--unsigned', ...repo];
    for (const command of [
      ['delta', 'show', pipe],
      ['delta', 'apply', pipe, ...out],
      ['delta', 'apply', 'r^..r', '--from', pipe, ...out],
      ['bundle', 'show', pipe],
      ['bundle', 'apply', pipe, '--unsigned', ...repo],
    ]) {
      expect(await refusal(...command), command.join(' ')).toBe(found);
    }
    const writing = writeFile(pipe, readFileSync(at('k.pub')));
    const from = ['--from', at('old'), '-o', at('piped'), ...repo];
    const applied = await outputHere('delta', 'apply', 'r^..r', '--key', pipe, ...from);
    await writing;
    expect(applied).toContain(`signed by ${pipe}`);
    expect(await refusal('delta', 'apply', 'r^..r', '--key', '/dev/zero', ...from)).toBe(
      'CORRUPT_TOO_LARGE: more',
    );
  });

  test('links lead to deltas, images and repositories', async () => {
    const name = `${commits[0]}.delta`;
    const stored = join(at('repo/pine/deltas'), commits[1] ?? '', name);
    for (const [path, target] of [
      ['link.delta', stored],
      ['link-old', at('old')],
      ['link-repo', at('repo')],
    ] as const) {
      symlinkSync(target, at(path));
    }
    expect(await outputHere('delta', 'show', at('link.delta'))).toContain(`to   ${commits[1]}`);
    for (const from of ['link-old', 'link-repo']) {
      rmSync(at('made'), { force: true });
      const options = ['--unsigned', '--from', at(from), '-o', at('made')];
      await outputHere('delta', 'apply', at('link.delta'), ...options);
      expect(existsSync(at('made'))).toBe(true);
    }
  });

  test('bundle apply --repo takes no options of an upgrade: --plan would import it', async () => {
    await outputHere('init', '--repo', at('other-repo'));
    const apply = ['bundle', 'apply', at('b'), '--repo', at('other-repo'), '--unsigned'];
    for (const option of [['--plan'], ['--check'], ['--no-reboot'], ['--disk', at('old')]]) {
      const found = 'USAGE_COMMAND_LINE: an option of an upgrade beside it';
      expect(await refusal(...apply, ...option)).toBe(found);
    }
    expect(await outputHere('refs', '--repo', at('other-repo'))).toBe('');
    await outputHere(...apply);
    expect(await outputHere('refs', '--repo', at('other-repo'))).toBe('r\n');
  });

  test('a wrong command line is told where its help is', async () => {
    const { error } = await runHere('delta', 'generate', ...repo);
    expect(error?.details.remedy).toBe('run `pinectl delta generate --help`');
    const show = await runHere('bundle', 'show');
    expect(show.error?.details.remedy).toBe('run `pinectl bundle show --help`');
    const unknown = await runHere('delta', 'nope');
    expect(unknown.error?.details.remedy).toBe('run `pinectl delta --help`');
    const none = await runHere('nope');
    expect(none.error?.details.remedy).toBe('run `pinectl --help`');
  });
});
