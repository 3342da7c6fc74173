import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCleanRecipe, readRecipe } from '../../../src/build/recipe/read-recipe.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { missing } from '../../support/requirements.ts';

const folder = temporaryFolder();
const environment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
};

function git(where: string, ...args: string[]): string {
  const safe = ['-c', 'safe.directory=*', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...safe, '-C', where, ...args], {
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

let made = 0;
/** A work tree with one commit, on `main`. */
function workTree(): string {
  made += 1;
  const path = join(folder, `work-${made}`);
  mkdirSync(join(path, 'images/web'), { recursive: true });
  git(path, 'init', '-q', '-b', 'main');
  writeFileSync(join(path, 'images/web/make'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(path, 'packages'), 'nginx\n');
  symlinkSync('packages', join(path, 'link'));
  writeFileSync(join(path, '.gitignore'), '*.o\n/out/\n');
  git(path, 'add', '-A');
  git(path, 'commit', '-q', '-m', 'First');
  return path;
}

async function recipeOf(path: string) {
  return (await readRecipe(path))?.recipe;
}

describe.skipIf(missing('git') !== undefined)('where a recipe came from', () => {
  test('revision, branch, folder, and the URL of the remote that the branch follows', async () => {
    const path = workTree();
    const revision = git(path, 'rev-parse', 'HEAD').trim();
    expect(await recipeOf(path)).toEqual({ revision, branch: 'main', state: 'clean' });
    git(path, 'remote', 'add', 'fork', 'https://name:secret@example.org/fork.git');
    const remote = 'https://example.org/fork.git';
    expect(await recipeOf(path)).toMatchObject({ remote });
    git(path, 'remote', 'add', 'origin', 'git@example.org:recipes.git');
    expect(await recipeOf(path)).toMatchObject({ remote: 'git@example.org:recipes.git' });
    git(path, 'checkout', '-q', '-b', 'feature/v1.2');
    git(path, 'config', 'branch.feature/v1.2.remote', 'fork');
    expect(await recipeOf(join(path, 'images/web'))).toEqual({
      revision,
      branch: 'feature/v1.2',
      remote,
      folder: 'images/web',
      state: 'clean',
    });
  });

  test('no branch, packed refs and objects', async () => {
    const path = workTree();
    const revision = git(path, 'rev-parse', 'HEAD').trim();
    git(path, 'gc', '-q');
    expect(await recipeOf(path)).toEqual({ revision, branch: 'main', state: 'clean' });
    git(path, 'checkout', '-q', '--detach');
    expect(await recipeOf(path)).toEqual({ revision, state: 'clean' });
  });

  test('none outside of a work tree, in a bare repository, before the first commit', async () => {
    const plain = join(folder, 'plain');
    mkdirSync(plain);
    expect(await readRecipe(plain)).toBeUndefined();
    await codeOfAsync(() => readCleanRecipe(plain), 'INPUT_RECIPE');
    const path = workTree();
    git(path, 'clone', '-q', '--bare', path, join(path, 'out/bare'));
    expect(await readRecipe(join(path, 'out/bare/refs'))).toBeUndefined();
    const empty = join(folder, 'empty');
    git(folder, 'init', '-q', empty);
    await codeOfAsync(() => readRecipe(empty), 'INPUT_RECIPE');
  });

  test('a linked work tree has its own HEAD, index and state', async () => {
    const path = workTree();
    git(path, 'gc', '-q');
    const linked = join(folder, 'linked');
    git(path, 'worktree', 'add', '-q', '-b', 'other', linked);
    git(linked, 'commit', '-q', '--allow-empty', '-m', 'Second');
    const revision = git(linked, 'rev-parse', 'HEAD').trim();
    expect(await recipeOf(linked)).toEqual({ revision, branch: 'other', state: 'clean' });
    writeFileSync(join(linked, 'packages'), 'apache\n');
    expect(await recipeOf(linked)).toMatchObject({ state: 'dirty' });
    expect(await recipeOf(path)).toMatchObject({ branch: 'main', state: 'clean' });
  });
});

/** What is done to a work tree. `git status` says what it makes of it. */
const changes: readonly (readonly [what: string, change: (path: string) => void])[] = [
  ['nothing', () => {}],
  ['a file changed', (path) => appendFileSync(join(path, 'packages'), 'more\n')],
  [
    'a file changed, its size and time kept',
    (path) => {
      const { atime, mtime } = lstatSync(join(path, 'packages'));
      writeFileSync(join(path, 'packages'), 'xinit\n');
      utimesSync(join(path, 'packages'), atime, mtime);
    },
  ],
  ['a file written again, the same', (path) => writeFileSync(join(path, 'packages'), 'nginx\n')],
  ['a file touched', (path) => utimesSync(join(path, 'packages'), 1, 1)],
  [
    'copied',
    (path) => {
      cpSync(path, `${path}-copy`, { recursive: true, verbatimSymlinks: true });
      rmSync(path, { recursive: true });
      renameSync(`${path}-copy`, path);
    },
  ],
  ['a mode changed', (path) => chmodSync(join(path, 'images/web/make'), 0o644)],
  [
    'a mode changed where modes do not count',
    (path) => {
      git(path, 'config', 'core.fileMode', 'false');
      chmodSync(join(path, 'images/web/make'), 0o644);
    },
  ],
  ['a mode changed in what git does not keep', (path) => chmodSync(join(path, 'packages'), 0o600)],
  [
    'a link elsewhere',
    (path) => {
      rmSync(join(path, 'link'));
      symlinkSync('images', join(path, 'link'));
    },
  ],
  [
    'a file in place of a link',
    (path) => {
      rmSync(join(path, 'link'));
      writeFileSync(join(path, 'link'), 'packages');
    },
  ],
  [
    'a folder in place of a file',
    (path) => {
      rmSync(join(path, 'packages'));
      mkdirSync(join(path, 'packages'));
    },
  ],
  [
    'a file in place of a folder',
    (path) => {
      rmSync(join(path, 'images'), { recursive: true });
      writeFileSync(join(path, 'images'), '');
    },
  ],
  ['a file deleted', (path) => rmSync(join(path, 'packages'))],
  ['a folder deleted', (path) => rmSync(join(path, 'images'), { recursive: true })],
  [
    'a change staged',
    (path) => {
      writeFileSync(join(path, 'packages'), 'apache\n');
      git(path, 'add', 'packages');
    },
  ],
  [
    'a change staged and taken back in the work tree',
    (path) => {
      writeFileSync(join(path, 'packages'), 'apache\n');
      git(path, 'add', 'packages');
      writeFileSync(join(path, 'packages'), 'nginx\n');
    },
  ],
  ['a deletion staged, the file kept', (path) => git(path, 'rm', '-q', '--cached', 'packages')],
  ['a mode staged', (path) => git(path, 'update-index', '--chmod=+x', 'packages')],
  ['a new file', (path) => writeFileSync(join(path, 'new'), '')],
  [
    'a new file, added',
    (path) => {
      writeFileSync(join(path, 'new'), '');
      git(path, 'add', 'new');
    },
  ],
  [
    'a new file, to be added',
    (path) => {
      writeFileSync(join(path, 'new'), '');
      git(path, 'add', '-N', 'new');
    },
  ],
  [
    'a new folder with a file',
    (path) => {
      mkdirSync(join(path, 'new/deep'), { recursive: true });
      writeFileSync(join(path, 'new/deep/file'), '');
    },
  ],
  ['a new folder without one', (path) => mkdirSync(join(path, 'new/deep'), { recursive: true })],
  [
    'files that are ignored',
    (path) => {
      mkdirSync(join(path, 'out/deep'), { recursive: true });
      writeFileSync(join(path, 'out/deep/file'), '');
      writeFileSync(join(path, 'images/part.o'), '');
      mkdirSync(join(path, 'new'));
      writeFileSync(join(path, 'new/.gitignore'), '*\n');
      writeFileSync(join(path, 'new/file'), '');
    },
  ],
  [
    'a file ignored by .git/info/exclude',
    (path) => {
      appendFileSync(join(path, '.git/info/exclude'), '/private\n');
      writeFileSync(join(path, 'private'), '');
    },
  ],
  [
    'a file that an ignore rule takes back',
    (path) => {
      appendFileSync(join(path, '.gitignore'), '!keep.o\n');
      git(path, 'commit', '-q', '-a', '-m', 'Rule');
      writeFileSync(join(path, 'keep.o'), '');
    },
  ],
  [
    'an ignored file that is tracked, changed',
    (path) => {
      mkdirSync(join(path, 'out'));
      writeFileSync(join(path, 'out/tracked'), 'one');
      git(path, 'add', '-f', 'out/tracked');
      git(path, 'commit', '-q', '-m', 'Tracked');
      writeFileSync(join(path, 'out/tracked'), 'two');
      writeFileSync(join(path, 'out/not'), '');
    },
  ],
  ['a fifo', (path) => execFileSync('mkfifo', [join(path, 'fifo')])],
  [
    'a conflict',
    (path) => {
      git(path, 'checkout', '-q', '-b', 'side');
      writeFileSync(join(path, 'packages'), 'side\n');
      git(path, 'commit', '-q', '-a', '-m', 'Side');
      git(path, 'checkout', '-q', 'main');
      writeFileSync(join(path, 'packages'), 'main\n');
      git(path, 'commit', '-q', '-a', '-m', 'Main');
      expect(() => git(path, 'merge', '-q', 'side')).toThrow();
    },
  ],
  ['a name with all sorts of letters', (path) => writeFileSync(join(path, 'é\n" 😀'), '')],
  ...(['fresh', 'moved', 'changed', 'new file', 'not there', 'empty'] as const).map(
    (state) => [`a submodule, ${state}`, (path: string) => submodule(path, state)] as const,
  ),
];

function submodule(path: string, state: string): void {
  const inner = workTree();
  git(path, 'submodule', '--quiet', 'add', inner, 'sub');
  git(path, 'commit', '-q', '-m', 'Submodule');
  const sub = join(path, 'sub');
  if (state === 'moved') git(sub, 'commit', '-q', '--allow-empty', '-m', 'Second');
  if (state === 'changed') appendFileSync(join(sub, 'packages'), 'more\n');
  if (state === 'new file') writeFileSync(join(sub, 'new'), '');
  if (state === 'not there') rmSync(sub, { recursive: true });
  if (state === 'empty') git(path, 'submodule', '--quiet', 'deinit', 'sub');
}

describe.skipIf(missing('git') !== undefined)('dirty exactly when `git status` is', () => {
  test.each(changes)('%s', async (_, change) => {
    const path = workTree();
    change(path);
    const reading = await readRecipe(path);
    // Afterwards: git itself refreshes the index.
    const status = git(path, 'status', '--porcelain');
    expect({ ...reading?.recipe, reason: reading?.reason }).toMatchObject({
      state: status === '' ? 'clean' : 'dirty',
      revision: git(path, 'rev-parse', 'HEAD').trim(),
    });
    expect(reading?.reason === undefined).toBe(status === '');
    if (status === '') await readCleanRecipe(path);
    else await codeOfAsync(() => readCleanRecipe(path), 'STATE_RECIPE_DIRTY');
  });

  test('nothing of the repository is written', async () => {
    const path = workTree();
    utimesSync(join(path, 'packages'), 1, 1);
    const before = readFileSync(join(path, '.git/index'));
    expect(await recipeOf(path)).toMatchObject({ state: 'clean' });
    expect(readFileSync(join(path, '.git/index')).equals(before)).toBe(true);
  });

  test.each([
    [
      'an index of version 4',
      'version',
      (path: string) => {
        git(path, 'update-index', '--index-version', '4');
      },
    ],
    [
      'a name with a backslash',
      'backslash',
      (path: string) => {
        writeFileSync(join(path, 'images\\web'), '');
      },
    ],
    [
      'a sparse checkout',
      'sparse',
      (path: string) => {
        git(path, 'sparse-checkout', 'set', '--no-cone', '/images/');
      },
    ],
    [
      'an index that is damaged',
      'checksum',
      (path: string) => {
        appendFileSync(join(path, '.git/index'), 'x');
      },
    ],
  ])('what is not understood is unknown, never clean: %s', async (_, reason, change) => {
    const path = workTree();
    change(path);
    const reading = await readRecipe(path);
    expect(reading?.recipe.state).toBe('unknown');
    expect(reading?.reason).toContain(reason);
    await codeOfAsync(() => readCleanRecipe(path), 'STATE_RECIPE_DIRTY');
  });
});
