import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ostree } from '../repo/support/ostree.ts';
import { smallFolder } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';

const pinectl = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const folder = temporaryFolder();
const repo = join(folder, 'repo');
const env = { ...process.env, PINE_REPO: repo, TZ: 'UTC' };

function run(...args: string[]): string {
  const options = { env, cwd: folder, encoding: 'utf8' } as const;
  return execFileSync(process.execPath, [pinectl, ...args], { ...options, stdio: 'pipe' });
}

/** Runs what must fail; gives exit status and the error as --json prints it. */
function fail(...args: string[]): { status: number | null; code: string } {
  const result = spawnSync(process.execPath, [pinectl, ...args, '--json'], {
    env,
    cwd: folder,
    encoding: 'utf8',
  });
  return { status: result.status, code: JSON.parse(result.stderr).error.code };
}

describe.skipIf(missing('ostree', 'xattr') !== undefined)('on one repository', () => {
  const tree = join(folder, 'tree');
  let first = '';
  let second = '';

  test('init and commit', () => {
    run('init');
    smallFolder(tree);
    const options = ['--timestamp=@1700000000', '--add-metadata-string=version=1', '-s', 'One'];
    first = run('commit', '--ref', 'alpine/test', '--tree', tree, ...options).trim();
    writeFileSync(join(tree, 'new'), 'file');
    const output = run('commit', '-b', 'alpine/test', `--tree=dir=${tree}`, '-m', 'Body', '--json');
    const result = JSON.parse(output);
    second = result.commit;
    expect(result.parent).toBe(first);
    expect(result.image.size).toBeGreaterThan(0);
    expect(result.statistics).toMatchObject({
      contentTotal: 3,
      contentWritten: 1,
      contentBytesTotal: 9,
      contentBytesWritten: 4,
      contentBytesSaved: 5,
    });
  });

  test('log and show print what ostree prints, and more', () => {
    expect(run('log', 'alpine/test')).toBe(ostree(repo, 'log', 'alpine/test'));
    const shown = run('show', 'alpine/test^');
    expect(shown).toContain(ostree(repo, 'show', first).trim());
    expect(shown).toContain("version: '1'");
    expect(run('show', '--print-metadata-key=version', first)).toBe("'1'\n");
    const key = 'pine.image.1';
    // -B: it is not byte-swapped.
    const stock = ostree(repo, 'show', '-B', `--print-metadata-key=${key}`, second);
    expect(run('show', `--print-metadata-key=${key}`, second)).toBe(stock);
    const { commits } = JSON.parse(run('log', '-n', '1', '--json', second));
    expect(commits).toMatchObject([{ commit: second, parent: first, body: 'Body' }]);
  });

  test('ls prints what ostree prints', () => {
    for (const args of [[], ['-R', '-C', '-X'], ['-d'], ['--nul-filenames-only', '-R']]) {
      for (const paths of [[], ['/etc'], ['/etc/motd', 'etc/link']]) {
        const all = [...args, 'alpine/test', ...paths];
        expect(run('ls', ...all)).toBe(
          ostree(repo, 'ls', ...all.map((arg) => arg.replace(/^etc/, '/etc'))),
        );
      }
    }
  });

  test('refs are created, moved only with --force, and deleted', () => {
    run('refs', '--create', 'alpine/stable', 'alpine/test^');
    expect(run('refs')).toBe('alpine/stable\nalpine/test\n');
    expect(run('refs', 'alpine')).toBe('stable\ntest\n');
    expect(fail('refs', '--create', 'alpine/stable', second).code).toBe('STATE_REF_EXISTS');
    run('refs', '--create', 'alpine/stable', '--force', second);
    expect(run('refs', '-r', '--list', 'alpine/stable')).toBe(`alpine/stable\t${second}\n`);
    run('refs', '--delete', 'alpine/stable');
    expect(run('refs')).toBe('alpine/test\n');
  });

  test('checkout writes the tree into a new folder, never into an old one', () => {
    run('checkout', '-U', 'alpine/test', 'out');
    expect(readFileSync(join(folder, 'out/etc/link'), 'utf8')).toBe('hello');
    expect(fail('checkout', '-U', 'alpine/test', 'out')).toEqual({
      status: 6,
      code: 'STATE_FOLDER_EXISTS',
    });
  });

  test('fsck finds damage, repairs plans and reports the rest', () => {
    expect(run('fsck')).toContain('0 problems');
    const path = (checksum: string, kind: string) =>
      join(repo, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.${kind}`);
    rmSync(path(second, 'plan'));
    expect(fail('fsck')).toEqual({ status: 4, code: 'CORRUPT_REPOSITORY' });
    expect(JSON.parse(run('fsck', '--repair', '--json')).repaired).toEqual([`${second}.plan`]);
    truncateSync(path(first, 'commit'), 20);
    expect(fail('fsck', '--repair').status).toBe(4);
  });

  test('what is wrong on the command line is said', () => {
    const usage = { status: 2, code: 'USAGE_COMMAND_LINE' };
    expect(fail('commit', '--ref', 'x')).toEqual(usage);
    expect(fail('commit', '--tree', tree)).toEqual(usage);
    for (const time of [
      'yesterday',
      '@-1',
      'web 3',
      '2026-02-30',
      '2026-13-01',
      '2026-01-31 12:00',
    ]) {
      expect(fail('commit', '--ref=x', '--tree', tree, `--timestamp=${time}`)).toEqual(usage);
      expect(fail('prune', `--keep-younger-than=${time}`)).toEqual(usage);
    }
    expect(
      fail('commit', '--ref=x', '--tree', tree, '--add-metadata-string=pine.image.1=x'),
    ).toEqual(usage);
    expect(fail('commit', '--ref=../x', '--tree', tree).code).toBe('INPUT_REF_NAME');
    expect(fail('commit', '--ref=x', '--tree', tree, '--sign-key', 'none').code).toBe(
      'NOT_FOUND_FILE',
    );
    expect(fail('log', 'nothing')).toEqual({ status: 9, code: 'NOT_FOUND_COMMIT' });
    expect(fail('ls', second, '/nothing').code).toBe('NOT_FOUND_PATH');
    expect(fail('refs', '--repo', folder).code).toBe('NOT_FOUND_REPOSITORY');
    expect(fail('refs', '--repo', '').code).toBe('USAGE_NO_REPOSITORY');
  });
});

describe.skipIf(missing('xattr') !== undefined)('signing', () => {
  test('puts signatures beside the commit, one a key, where ostree looks for them', () => {
    const repository = join(folder, 'signed');
    const tree = smallFolder(join(folder, 'signed-tree'));
    run('init', '--repo', repository);
    for (const name of ['a', 'b']) run('keys', 'generate', '-o', name);
    const keys = ['--sign-key', 'a.secret', '--sign-key', 'b.secret'];
    run('commit', '--repo', repository, '--ref', 'x', ...keys, tree);
    const { signatures } = JSON.parse(run('show', '--repo', repository, '--json', 'x'));
    expect(signatures).toHaveLength(2);
    expect(signatures[0]).toMatch(/^[0-9a-f]{128}$/);
    const key = '--print-detached-metadata-key=ostree.sign.ed25519';
    // GVariant prints bytes as text where the last of them is zero and no other is.
    expect(run('show', '--repo', repository, key, 'x')).toMatch(/^\[(\[byte 0x|b["'])/);
  });
});

describe.skipIf(missing('xattr') !== undefined)('S9: memory', () => {
  test('does not grow with the size of a file', () => {
    const tree = join(folder, 'large-tree');
    mkdirSync(tree);
    const size = 512 * 1024 * 1024;
    writeFileSync(join(tree, 'large'), '');
    truncateSync(join(tree, 'large'), size);
    const repository = join(folder, 'large');
    run('init', '--repo', repository);
    const script = `
      process.argv.splice(1, 0, 'pinectl');
      process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS));
      await import(${JSON.stringify(new URL('../../src/cli/main.ts', import.meta.url).href)});`;
    const args = ['commit', '--repo', repository, '--ref', 'x', tree];
    const { stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, '--', ...args],
      { encoding: 'utf8' },
    );
    const peak = Number(/peak (\d+)$/.exec(stderr)?.[1]) * 1024;
    expect(run('log', '--repo', repository, 'x')).toContain('(no subject)');
    expect(peak, stderr).toBeLessThan(size / 2);
  });
});
