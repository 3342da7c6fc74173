import type { Command } from 'commander';
import { readCleanRecipe, readGivenRecipe, readRecipe } from '../build/recipe/read-recipe.ts';
import { PineError } from '../error.ts';
import type { Recipe } from '../repo/recipe.ts';

/** Options that say where a commit's recipe is. */
export interface RecipeOptions {
  /** `false`: none is recorded. */
  readonly recipe?: string | false;
  readonly requireClean?: boolean;
}

/** Adds them. */
export function recipeOptions(command: Command): Command {
  return command
    .option('--recipe <folder>', 'what the tree was built with, for its git revision (default: .)')
    .option('--no-recipe', 'record no git revision')
    .option('--require-clean', 'refuse a recipe with anything that `git status` would name');
}

/** What is recorded of the recipe, and what the user should know of it. Throws STATE_RECIPE_DIRTY, INPUT_RECIPE. */
export async function readRecipeOption({
  recipe: folder,
  requireClean = false,
}: RecipeOptions): Promise<{ readonly recipe?: Recipe; readonly notes: readonly string[] }> {
  if (folder === false) {
    if (!requireClean) return { notes: [] };
    throw new PineError('USAGE_COMMAND_LINE', '--require-clean needs a recipe', {
      expected: '--require-clean, with or without --recipe FOLDER',
      found: '--no-recipe',
      where: 'the command line',
      remedy: 'leave one of the two out',
    });
  }
  if (requireClean) return { recipe: (await readCleanRecipe(folder ?? '.')).recipe, notes: [] };
  if (folder !== undefined) return withNotes(await readGivenRecipe(folder));
  try {
    const reading = await readRecipe('.');
    return reading === undefined ? { notes: [] } : withNotes(reading);
  } catch (error) {
    // Nobody asked for it: a strange work tree around is no reason not to commit.
    if (!(error instanceof PineError)) throw error;
    return { notes: [`no recipe is recorded: ${error.details.found}`] };
  }
}

function withNotes({ recipe, reason }: Awaited<ReturnType<typeof readCleanRecipe>>) {
  const notes = {
    clean: [],
    dirty: [`the recipe is dirty: ${reason}`],
    unknown: [`it is not known whether the recipe is dirty: ${reason}`],
  };
  return { recipe, notes: notes[recipe.state] };
}
