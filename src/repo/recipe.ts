import { type Commit, metadataValue } from './commit-object.ts';
import type { Dictionary, Variant } from './gvariant/variant.ts';

/** Whether a work tree held exactly what its revision says; `unknown` when that could not be told. */
export type WorkTreeState = 'clean' | 'dirty' | 'unknown';

/** Which git revision a commit was built with. */
export interface Recipe {
  /** The git commit, in hex. */
  readonly revision: string;
  /** Absent when no branch was checked out. */
  readonly branch?: string;
  /** Where it is fetched from, without credentials. */
  readonly remote?: string;
  /** The recipe's folder inside of the work tree; absent for its top. */
  readonly folder?: string;
  readonly state: WorkTreeState;
}

/** The metadata key; a change of its meaning would be another one. */
export const recipeKey = 'pine.recipe.1';

const texts = ['revision', 'branch', 'remote', 'folder'] as const;
const states: readonly string[] = ['clean', 'dirty', 'unknown'] satisfies WorkTreeState[];

/** The metadata entry `pine.recipe.1`: `a{sv}` of strings, in the order of the fields above. */
export function encodeRecipe(recipe: Recipe): readonly [string, Variant] {
  const entries: (readonly [string, Variant])[] = [];
  for (const name of [...texts, 'state'] as const) {
    const value = recipe[name];
    if (value !== undefined) entries.push([name, { type: 's', value }]);
  }
  return [recipeKey, { type: 'a{sv}', value: entries }];
}

/**
 * What a commit says of its recipe. `undefined` when it says nothing, or nothing that can be read: it
 * is told to people and decides nothing, so that a strange one is no reason to refuse a commit.
 */
export function recipeOf({ metadata }: Commit): Recipe | undefined {
  const found = metadataValue(metadata, recipeKey);
  if (found?.type !== 'a{sv}') return undefined;
  const entries = found.value as Dictionary;
  const text = (name: string): string | undefined => {
    const value = metadataValue(entries, name);
    return value?.type === 's' ? (value.value as string) : undefined;
  };
  const [revision, state = 'unknown'] = [text('revision'), text('state')];
  if (revision === undefined || !states.includes(state)) return undefined;
  const optional = texts.slice(1).flatMap((name) => {
    const value = text(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { revision, ...Object.fromEntries(optional), state: state as WorkTreeState };
}
