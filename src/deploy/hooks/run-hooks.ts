import { PineError } from '../../error.ts';
import { type Executable, findExecutables } from '../executables.ts';
import type { Machine } from '../machine.ts';
import type { HistoryEvent } from '../state.ts';

/** When a hook is run. The first two may refuse the upgrade. */
export type HookEvent =
  | 'before-staging'
  | 'before-arming'
  | 'after-confirmation'
  | 'after-rollback';

/** What a hook is told about: the new deployment, the confirmed one, or the one that was left. */
export type HookSubject = Pick<
  HistoryEvent,
  'commit' | 'version' | 'slot' | 'deployment' | 'reason'
>;

/** The part `[hooks]` of pinectl.toml. */
export interface HookSettings {
  /** Seconds that each hook may take. */
  readonly timeout: number;
  /** Seconds that all that are asked may take together; no limit when not given. */
  readonly together?: number;
}

export const standardHooks: HookSettings = { timeout: 300 };

export interface FailedHook {
  /** `after-rollback/50-web`. */
  readonly name: string;
  readonly detail: string;
}

/** The hooks of an event: of one name the administrator's counts before the image's. */
export function findHooks(machine: Machine, event: HookEvent): Promise<readonly Executable[]> {
  return findExecutables(
    machine.files,
    machine.hookFolders.map((folder) => `${folder}/${event}`),
  );
}

/** Asks before something is done: the first hook that fails refuses it. Throws STATE_HOOK_REFUSED. */
export async function askHooks(
  machine: Machine,
  event: 'before-staging' | 'before-arming',
  subject: HookSubject,
  settings: HookSettings,
): Promise<void> {
  const { timeout, together = Number.POSITIVE_INFINITY } = settings;
  const begun = performance.now(); // nobody can set it
  for (const hook of await findHooks(machine, event)) {
    const left = together - (performance.now() - begun) / 1000;
    const { passed, detail } =
      left > 0
        ? await run(machine, hook, event, subject, { timeout: Math.min(timeout, Math.ceil(left)) })
        : { passed: false, detail: `not run: the others took the ${together} s that all have` };
    if (passed) continue;
    throw new PineError('STATE_HOOK_REFUSED', 'a hook refuses the upgrade', {
      expected: 'exit 0',
      found: detail,
      where: hook.path,
      remedy: 'see to what it says, then run `pinectl upgrade` again',
    });
  }
}

/** Tells that something was done: all hooks are run, and which failed is returned. */
export async function tellHooks(
  machine: Machine,
  event: 'after-confirmation' | 'after-rollback',
  subject: HookSubject,
  settings: HookSettings,
): Promise<readonly FailedHook[]> {
  const failed: FailedHook[] = [];
  for (const hook of await findHooks(machine, event)) {
    const { passed, detail } = await run(machine, hook, event, subject, settings);
    if (!passed) failed.push({ name: `${event}/${hook.name}`, detail });
  }
  return failed;
}

function run(
  { effects }: Machine,
  { path }: Executable,
  event: HookEvent,
  { commit, version, slot, deployment, reason }: HookSubject,
  { timeout }: HookSettings,
) {
  const environment = {
    PINE_EVENT: event,
    PINE_COMMIT: commit,
    PINE_VERSION: version,
    PINE_SLOT: slot,
    PINE_DEPLOYMENT: deployment,
    PINE_REASON: reason,
  };
  return effects.runProgram(path, timeout, { environment });
}
