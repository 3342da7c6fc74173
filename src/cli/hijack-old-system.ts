import type { OldSystemWish } from '../boot/old-system-wish.ts';
import { usage } from './hijack-usage.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';

/** The options of `hijack` that are about the system that was here before pine. */
export interface OldSystemOptions {
  readonly undo?: boolean;
  readonly redo?: boolean;
  readonly keepData?: boolean;
  readonly wipe?: boolean;
  readonly json?: boolean;
}

const actions = ['undo', 'redo', 'keepData', 'wipe'] as const;
const flags = { undo: '--undo', redo: '--redo', keepData: '--keep-data', wipe: '--wipe' } as const;

/** Does what one of these options asks for, on a machine that was taken over. Says whether it was asked for. */
export async function runOldSystem(
  options: OldSystemOptions,
  isTakeOver: boolean,
): Promise<boolean> {
  const asked = actions.filter((name) => options[name] === true);
  if (asked.length > 1)
    throw usage(
      'one of --undo, --redo, --keep-data and --wipe',
      asked.map((name) => flags[name]).join(' and '),
    );
  const [action] = asked;
  if (action === undefined) return false;
  if (isTakeOver) {
    if (action === 'keepData' || action === 'wipe') return false; // for the machine that comes of it
    throw usage(
      'one of --undo, --redo, --keep-data and --wipe',
      `${flags[action]} and what a take-over needs`,
    );
  }
  await run(action, options.json);
  return true;
}

/** What a take-over carries over as wanted. */
export function wishOf({ keepData, wipe }: OldSystemOptions): OldSystemWish | undefined {
  if (wipe === true) return 'wipe';
  return keepData === true ? 'keep-data' : undefined;
}

async function run(action: (typeof actions)[number], json: boolean | undefined): Promise<void> {
  if (action === 'redo') return redo(json);
  const { bootedMachine } = await import('../deploy/machine-booted.ts');
  const machine = await bootedMachine();
  if (action === 'undo') {
    const { undo } = await import('../deploy/old-system/undo.ts');
    await undo(machine);
    print(json, { undone: true }, () =>
      [
        'The next boot starts the old system, and so does each one after it: reboot.',
        'Back to pine: pinectl hijack --redo, here before the reboot or there after it.',
      ].join('\n'),
    );
  } else if (action === 'keepData') {
    const { keepData } = await import('../deploy/old-system/keep-data.ts');
    const outcome = await keepData(machine);
    print(json, outcome, () =>
      outcome.problem === undefined
        ? `The old system's files are under ${outcome.folder}, read-only, now and after each boot`
        : `The old system's files can not be mounted: ${outcome.problem}`,
    );
  } else {
    const { wipe } = await import('../deploy/old-system/wipe.ts');
    const { report, end } = terminalProgress();
    const outcome = await wipe(machine, { progress: report }).finally(end);
    const { erased, size, folder, problem } = outcome;
    print(json, outcome, () =>
      [
        erased ? 'The old system is wiped.' : 'The old system was wiped before.',
        problem === undefined
          ? `Its room, ${formatBytes(size)}, is ${folder}`
          : `Its room can not be mounted: ${problem}`,
      ].join(' '),
    );
  }
}

/** On pine it takes an undo back before its reboot; on the old system it goes back to pine. */
async function redo(json: boolean | undefined): Promise<void> {
  const { nodeHost } = await import('../install/hijack/node-host.ts');
  const { bootReportFile } = await import('../deploy/running.ts');
  if (await nodeHost.exists(bootReportFile)) {
    const { bootedMachine } = await import('../deploy/machine-booted.ts');
    const { redo } = await import('../deploy/old-system/undo.ts');
    await redo(await bootedMachine());
    return print(json, { next: { kind: 'pine' } }, () => 'The next boot starts pine');
  }
  const { backToPine } = await import('../install/hijack/back-to-pine.ts');
  const { standardTrial } = await import('../deploy/configuration.ts');
  const next = await backToPine(nodeHost, standardTrial.tries);
  print(json, { next }, () =>
    next.kind === 'pine'
      ? 'The next boot starts pine: reboot'
      : `The next boot tries pine once more (${next.tries} tries): reboot`,
  );
}
