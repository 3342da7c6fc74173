import type { TakeOverRecord } from '../../take-over/record.ts';
import type { Machine } from '../machine.ts';
import { waitingFile } from '../paths.ts';

/** The first trial of a take-over that has passed its health checks, and waits for a login. Times are seconds since 1970. */
export interface Waiting {
  readonly since: number;
  /** When this try ends; `undefined` where that is not known. */
  readonly until: number | undefined;
  /** Seconds after `since` when it is confirmed all the same; `undefined`: never. */
  readonly confirmAfter: number | undefined;
}

const limit = 1024;

/** Notes that the trial waits, for the service that looks for a login, and for `status`. */
export async function startWaiting(machine: Machine, record: TakeOverRecord): Promise<Waiting> {
  const { files, clock, volatile } = machine;
  const waiting = {
    ...{ since: clock.now(), until: await endOfTry(machine) },
    confirmAfter: record.confirmAfter,
  };
  await files.makeFolder(volatile, 0o755);
  await files.writeFile(`${waitingFile(machine)}.new`, Buffer.from(format(waiting)), 0o644);
  await files.rename(`${waitingFile(machine)}.new`, waitingFile(machine));
  return waiting;
}

/** Whether a trial waits in this boot: then its health checks have passed. */
export async function readWaiting(machine: Machine): Promise<Waiting | undefined> {
  const bytes = await machine.files.readFile(waitingFile(machine), limit).catch(() => undefined);
  const text = bytes?.toString('utf8') ?? '';
  const number = (name: string) => {
    const digits = new RegExp(`^${name}=([0-9]{1,12})$`, 'm').exec(text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const since = number('since');
  if (since === undefined) return undefined;
  return { since, until: number('until'), confirmAfter: number('confirm_after') };
}

function format({ since, until, confirmAfter }: Waiting): string {
  return `since=${since}\nuntil=${until ?? ''}\nconfirm_after=${confirmAfter ?? ''}\n`;
}

/** The deadline counts from the start of the boot; a repair of the data partition, which does not count, makes it later. */
async function endOfTry({ files, clock, running }: Machine): Promise<number | undefined> {
  if (running.deadline === undefined) return undefined;
  const bytes = await files.readFile('/proc/uptime', 100).catch(() => undefined);
  const uptime = Number.parseInt(bytes?.toString('latin1') ?? '', 10);
  return Number.isNaN(uptime) ? undefined : clock.now() - uptime + running.deadline;
}
