import type { BootChoice } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import { formatKept, type KeptTakeOver, keptLimit, parseKept } from '../../take-over/kept.ts';
import { parseRecord, recordLimit, type TakeOverRecord } from '../../take-over/record.ts';
import { type StoryLine, storyOf, storySize } from '../../take-over/story.ts';
import { readAttempts } from '../attempts.ts';
import { removeDurably, replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { attemptsFile, keptTakeOverFile, takeOverFile } from '../paths.ts';
import { describeChoice } from '../refusals.ts';
import { letInBy } from './let-in.ts';

/** What lets the machine see logins during the first trial: hijack links it. */
const service = 'runlevels/default/pine-first-login';

/**
 * The record of the take-over whose first trial this is; `undefined` for any other boot. Nothing else was ever
 * confirmed on such a machine: after an upgrade, what runs stands in the order behind what is tried.
 */
export async function firstTrial(
  machine: Machine,
  choice: BootChoice | undefined,
): Promise<TakeOverRecord | undefined> {
  const trial = choice?.trial;
  if (trial === undefined || trial.block !== machine.running.block) return undefined;
  if (choice?.order.length !== 1) return undefined;
  const record = await readRecord(machine);
  return record?.deployment === machine.running.deployment ? record : undefined;
}

/** Throws STATE_NOT_ON_TRIAL when this is not the first trial of a take-over. */
export async function requireFirstTrial(machine: Machine): Promise<void> {
  const choice = await machine.bootLoader.readChoice();
  if ((await firstTrial(machine, choice)) !== undefined) return;
  throw new PineError('STATE_NOT_ON_TRIAL', 'this is not the first trial of a take-over', {
    expected: 'a system that `pinectl hijack` installed, not confirmed yet',
    found: describeChoice(choice),
    where: 'the boot choice',
    remedy: 'nothing needs to be done; `pinectl status` tells how it was confirmed',
  });
}

/** What is known of the take-over that made this machine; `undefined` when none did. Writes nothing. */
export async function readTakeOver(machine: Machine): Promise<KeptTakeOver | undefined> {
  const record = await readRecord(machine);
  if (record !== undefined) {
    return { record, story: await readStory(machine, record), confirmed: undefined };
  }
  const bytes = await machine.files
    .readFile(keptTakeOverFile(machine), keptLimit)
    .catch(() => undefined);
  return bytes && parseKept(bytes.toString('utf8'));
}

/**
 * Keeps what is known of the take-over once its first trial is confirmed, and takes away what it needed until then. In
 * that order, so that a cut in between is made good by the next boot (S7).
 */
export async function keepTakeOver(machine: Machine): Promise<void> {
  const record = await readRecord(machine);
  if (record === undefined) return;
  const { files, clock, running } = machine;
  const attempts = await readAttempts(files, attemptsFile(machine, running.deployment));
  const by = letInBy(attempts) ?? 'its health checks';
  const kept = {
    ...{ record, story: await readStory(machine, record) },
    confirmed: { time: clock.now(), by },
  };
  await replaceFile(files, keptTakeOverFile(machine), Buffer.from(formatKept(kept)));
  await removeDurably(files, `${machine.etc}/${service}`);
  await removeDurably(files, takeOverFile(machine));
}

async function readRecord(machine: Machine): Promise<TakeOverRecord | undefined> {
  const bytes = await machine.files
    .readFile(takeOverFile(machine), recordLimit)
    .catch(() => undefined);
  return bytes && parseRecord(bytes.toString('utf8'));
}

/** What the installer left on the disk; nothing where it can't be read: it is only told. */
async function readStory(
  { files, disk }: Machine,
  { id, storyAt }: TakeOverRecord,
): Promise<StoryLine[]> {
  if (disk === undefined || storyAt === undefined) return [];
  const bytes = await files.readAt(disk, storyAt, storySize).catch(() => Buffer.alloc(0));
  return storyOf(bytes, id);
}
