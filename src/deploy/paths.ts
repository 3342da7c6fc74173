import type { Machine } from './machine.ts';

/** pine's own folder on the data partition. */
export function stateFolder(machine: Machine): string {
  return `${machine.data}/pine`;
}

/** Where the /etc of a deployment lies. */
export function etcFolder(machine: Machine, deployment: string): string {
  return `${machine.data}/etc/${deployment}`;
}

/** Where the full plan of a commit is kept. */
export function planFile(machine: Machine, commit: string): string {
  return `${stateFolder(machine)}/plans/${commit}.plan`;
}

/** The git repository with the history of /etc. */
export function historyFolder(machine: Machine): string {
  return `${stateFolder(machine)}/etc.git`;
}

/** Where the delta of an upgrade is kept while it is needed. */
export function deltaFolder(machine: Machine): string {
  return `${stateFolder(machine)}/deltas`;
}

/** How far a trial came, one line per step. */
export function attemptsFile(machine: Machine, deployment: string): string {
  return `${stateFolder(machine)}/attempts/${deployment}.log`;
}

/** What the take-over that made this machine left in its /etc: gone once its first trial is confirmed. */
export function takeOverFile(machine: Pick<Machine, 'etc'>): string {
  return `${machine.etc}/pine/hijack`;
}

/** What is kept of that take-over. */
export function keptTakeOverFile(machine: Machine): string {
  return `${stateFolder(machine)}/hijack`;
}

/** Says that the first trial of a take-over has passed its health checks, and waits for a login. */
export function waitingFile(machine: Machine): string {
  return `${machine.volatile}/waiting`;
}

/** Says who got in, or what else confirms the first trial of a take-over. */
export function letInFile(machine: Machine): string {
  return `${machine.volatile}/let-in`;
}

/** How the health checks of the last trial ended. */
export function healthFile(machine: Machine): string {
  return `${stateFolder(machine)}/health.json`;
}

/** What unattended upgrades remember. */
export function automaticFile(machine: Machine): string {
  return `${stateFolder(machine)}/automatic.json`;
}

/** How often a boot tried to fill the disk. */
export function growthFile(machine: Machine): string {
  return `${stateFolder(machine)}/growth.json`;
}

/** What hooks were told last. */
export function hooksFile(machine: Machine): string {
  return `${stateFolder(machine)}/hooks.json`;
}

/** The folder of what is known of how deployments came. */
export function originFolder(machine: Pick<Machine, 'data'>): string {
  return `${machine.data}/pine/origins`;
}

/** How a deployment came. */
export function originFile(machine: Pick<Machine, 'data'>, deployment: string): string {
  return `${originFolder(machine)}/${deployment}.json`;
}

/** Which deployments are pinned. */
export function pinsFile(machine: Pick<Machine, 'data'>): string {
  return `${machine.data}/pine/pins.json`;
}

/** Says that the boot report's skips have been dealt with; gone after a reboot. */
export function settledFile(machine: Machine): string {
  return `${machine.volatile}/settled`;
}

/** What /etc was when a change of kernel arguments was armed; gone after a reboot. */
export function argumentsEtcFile(machine: Machine): string {
  return `${machine.volatile}/arguments-etc`;
}

/** What whoever logs in is told; gone after a reboot. */
export function noticeFile(machine: Machine): string {
  return `${machine.volatile}/notice`;
}

/** What went wrong with the old system at this boot. */
export function oldSystemProblemFile(machine: Machine): string {
  return `${machine.volatile}/old-system-problem`;
}

/** Tells the initramfs' deadline process that the trial is over. */
export function confirmedFile(machine: Machine): string {
  return `${machine.volatile}/confirmed`;
}
