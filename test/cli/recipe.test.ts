import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { printVariant } from '../../src/repo/gvariant/print.ts';
import { encodeRecipe } from '../../src/repo/recipe.ts';
import { ostree, stockRepository } from '../repo/support/ostree.ts';
import { smallFolder } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { Pinectl } from './support/pinectl.ts';

const folder = temporaryFolder();
const repo = join(folder, 'repo');
const recipes = join(folder, 'recipes');
const tree = join(folder, 'tree');
/** Started in the work tree, as who builds there does. */
const inside = new Pinectl(repo, recipes);
const outside = new Pinectl(repo, folder);

function git(...args: string[]): string {
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org'];
  return execFileSync('git', [...who, '-C', recipes, ...args], { encoding: 'utf8' }).trim();
}

describe.skipIf(missing('ostree', 'xattr', 'git') !== undefined)('commit --recipe', () => {
  const commit = ['commit', '--ref', 'x', '--timestamp=@7', '--no-image', tree];

  test('outside of a work tree nothing is recorded, unless a recipe is asked for', () => {
    outside.run('init');
    smallFolder(tree);
    expect(outside.notes(...commit)).not.toContain('recipe');
    expect(outside.json('show', 'x').recipe).toBeNull();
    expect(outside.fail(...commit, '--recipe', tree)).toBe('INPUT_RECIPE');
    expect(outside.fail(...commit, '--recipe', 'nowhere')).toBe('INPUT_RECIPE');
    expect(outside.fail(...commit, '--require-clean')).toBe('INPUT_RECIPE');
    expect(outside.fail(...commit, '--require-clean', '--no-recipe')).toBe('USAGE_COMMAND_LINE');
  });

  test('before the first git commit it says why nothing is recorded', () => {
    mkdirSync(join(recipes, 'web'), { recursive: true });
    git('init', '-q', '-b', 'main');
    expect(inside.notes(...commit)).toContain('no recipe is recorded: a branch without a commit');
    expect(inside.json('show', 'x').recipe).toBeNull();
  });

  test('log and show print it; ostree makes the same commit of the same metadata', () => {
    writeFileSync(join(recipes, 'web/packages'), 'nginx\n');
    git('add', '-A');
    git('commit', '-q', '-m', 'First');
    git('remote', 'add', 'origin', 'https://user:token@example.org/recipes.git');
    const revision = git('rev-parse', 'HEAD');
    const options = ['--parent', 'none', '--recipe', 'recipes/web', '--require-clean'];
    const ours = outside.json(...commit, ...options).commit;
    const recipe = {
      revision,
      branch: 'main',
      remote: 'https://example.org/recipes.git',
      folder: 'web',
      state: 'clean',
    } as const;
    expect(outside.json('show', 'x').recipe).toEqual(recipe);
    expect(outside.json('log', 'x').commits[0].recipe).toEqual(recipe);
    const line = `\nRecipe: ${revision} (main, clean), web of https://example.org/recipes.git\n`;
    for (const command of ['log', 'show']) expect(outside.run(command, 'x')).toContain(line);

    const stock = stockRepository(folder, 'stock');
    const [key, value] = encodeRecipe(recipe);
    const metadata = `--add-metadata=${key}=${printVariant(value)}`;
    ostree(stock, 'commit', '--branch=x', '--timestamp=@7', '--subject=', metadata, tree);
    expect(ostree(stock, 'rev-parse', 'x').trim()).toBe(ours);
  });

  test('a dirty one is recorded as such and named, or refused', () => {
    writeFileSync(join(recipes, 'web/packages'), 'apache\n');
    expect(inside.notes(...commit)).toContain('the recipe is dirty: web/packages (changed)\n');
    expect(inside.json('show', 'x').recipe).toMatchObject({ state: 'dirty' });
    expect(inside.fail(...commit, '--require-clean')).toBe('STATE_RECIPE_DIRTY');
    inside.run(...commit, '--no-recipe');
    expect(inside.json('show', 'x').recipe).toBeNull();
  });

  test('adopt keeps it', () => {
    inside.run(...commit);
    outside.run('adopt', 'x');
    expect(outside.json('show', 'x').recipe).toMatchObject({ branch: 'main', state: 'dirty' });
  });
});
