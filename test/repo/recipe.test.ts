import { expect, test } from 'vitest';
import { decodeCommit, encodeCommit } from '../../src/repo/commit-object.ts';
import type { Variant } from '../../src/repo/gvariant/variant.ts';
import { encodeRecipe, recipeKey, recipeOf } from '../../src/repo/recipe.ts';

function commitWith(value: Variant) {
  const zeros = '0'.repeat(64);
  const metadata = [[recipeKey, value]] as const;
  const about = { metadata, related: [], subject: '', body: '', timestamp: 0, parent: undefined };
  return decodeCommit(encodeCommit({ ...about, rootTree: zeros, rootMeta: zeros }), 'a commit');
}

test('a recipe is what it was, after it was in a commit', () => {
  const recipe = { revision: 'a'.repeat(40), branch: 'main', folder: 'é', state: 'dirty' } as const;
  expect(recipeOf(commitWith(encodeRecipe(recipe)[1]))).toEqual(recipe);
  const least = { revision: 'b'.repeat(40), state: 'unknown' } as const;
  expect(recipeOf(commitWith(encodeRecipe(least)[1]))).toEqual(least);
});

test.each<[string, Variant]>([
  ['another type', { type: 's', value: 'main' }],
  ['no revision', { type: 'a{sv}', value: [['state', { type: 's', value: 'clean' }]] }],
  ['a revision that is no text', { type: 'a{sv}', value: [['revision', { type: 'u', value: 7 }]] }],
  ['a state that is none', encodeRecipe({ revision: 'a', state: 'fine' as 'clean' })[1]],
])('what is no recipe is passed over: %s', (_, value) => {
  expect(recipeOf(commitWith(value))).toBeUndefined();
});
