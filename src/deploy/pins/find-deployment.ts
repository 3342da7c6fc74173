import { PineError } from '../../error.ts';
import type { Numbered } from '../deployments.ts';
import type { Machine } from '../machine.ts';
import { runningDeployment, type Situation } from '../situation.ts';

/** How a deployment is named on a command line, for error messages. */
const names = 'booted, other, a block (1 to 4), an id, or the beginning of an id or commit';

/**
 * The deployment that `name` means: `booted`, `other` (the best of the other slot), a block, an id, or the beginning of
 * an id or a commit (four digits or more). Throws NOT_FOUND_DEPLOYMENT, INPUT_AMBIGUOUS_DEPLOYMENT.
 */
export function findDeployment(
  machine: Pick<Machine, 'running'>,
  { choice, deployments }: Pick<Situation, 'choice' | 'deployments'>,
  name: string,
): Numbered {
  const found = matching(machine, choice?.order ?? [], deployments, name);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const known = deployments.map(({ id, block, slot }) => `${id} (block ${block}, slot ${slot})`);
  if (first === undefined) {
    throw new PineError('NOT_FOUND_DEPLOYMENT', 'this machine does not have this deployment', {
      expected: `${names}: ${known.join(', ') || 'it has none'}`,
      found: name,
      where: 'the boot partition',
      remedy: '`pinectl status` names the deployments',
    });
  }
  throw new PineError('INPUT_AMBIGUOUS_DEPLOYMENT', 'more than one deployment is called so', {
    expected: `one of ${found.map(({ id }) => id).join(', ')}`,
    found: name,
    where: 'the command line',
    remedy: 'name it with its whole id',
  });
}

function matching(
  machine: Pick<Machine, 'running'>,
  order: readonly number[],
  deployments: readonly Numbered[],
  name: string,
): readonly Numbered[] {
  const own = runningDeployment(machine, deployments);
  if (name === 'booted') return own === undefined ? [] : [own];
  if (name === 'other') {
    return order
      .flatMap((block) => deployments.filter((entry) => entry.block === block))
      .filter(({ slot }) => slot !== machine.running.slot)
      .slice(0, 1);
  }
  if (/^[0-9]$/.test(name)) return deployments.filter(({ block }) => String(block) === name);
  const exact = deployments.filter(({ id }) => id === name);
  if (exact.length > 0) return exact;
  if (name.length < 4) return [];
  return deployments.filter(({ id, commit }) => id.startsWith(name) || commit.startsWith(name));
}
