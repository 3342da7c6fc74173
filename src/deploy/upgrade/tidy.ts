import { conflictsFile } from '../../etc/conflicts.ts';
import { removeDurably } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { removeOtherOrigins } from '../origin/origin-file.ts';
import { deltaFolder, etcFolder, stateFolder } from '../paths.ts';
import { isPinned } from '../pins/pins.ts';
import { readSituation } from '../situation.ts';
import { readStaged } from '../staging/staged-file.ts';

/** Deployments of the history whose /etc is kept although nothing boots them any more. */
const keptGenerations = 4;

/**
 * Removes what no deployment needs any more: plans of other commits, deltas, how deployments came that the history
 * does not name any more, and the /etc of those that are long gone. Of those only ones that an upgrade made, and none when the history or the list of pins is lost (S8).
 */
export async function tidy(machine: Machine): Promise<void> {
  const { files, data, running } = machine;
  const situation = await readSituation(machine);
  const { choice, deployments, pins, state, stateLost } = situation;
  const staged = await readStaged(machine, situation);
  const listed = deployments.filter(
    ({ block, id }) =>
      choice?.order.includes(block) || id === running.deployment || isPinned(pins, id),
  );
  const commits = new Set([...listed.map(({ commit }) => commit), staged?.commit]);
  const plans = `${stateFolder(machine)}/plans`;
  for (const name of (await files.readFolder(plans)) ?? []) {
    if (!commits.has(name.replace(/\.plan$/, ''))) await removeDurably(files, `${plans}/${name}`);
  }
  await removeDurably(files, deltaFolder(machine));
  if (stateLost || pins === 'damaged') return;
  const kept = new Set([running.deployment, ...listed.map(({ id }) => id)]);
  if (staged !== undefined) kept.add(staged.deployment);
  const known = state.history.map(({ deployment }) => deployment);
  await removeOtherOrigins(machine, new Set([...kept, ...known]));
  for (const deployment of known.slice(-keptGenerations)) kept.add(deployment);
  for (const name of (await files.readFolder(`${data}/etc`)) ?? []) {
    const ours = /^[0-9a-f]{12}\.[0-9]+(\.new)?$/.test(name);
    if (!ours || kept.has(name)) continue;
    await removeDurably(files, conflictsFile(data, name));
    await removeDurably(files, etcFolder(machine, name));
  }
}
