import type { BootLoader } from '../boot/boot-loader.ts';
import type { BootChoice } from '../boot/choice.ts';
import { PineError } from '../error.ts';
import { type ChoiceEvent, type Refusal, transition } from './transitions.ts';

/** The choice after `event`; throws a STATE error that says why it can't be and what to do. */
export function choiceAfter(choice: BootChoice | undefined, event: ChoiceEvent): BootChoice {
  const result = transition(choice, event);
  if ('choice' in result) return result.choice;
  throw refusal(result.refused, choice);
}

/** Carries `event` out: one write of one sector (S3). Returns the new choice. */
export async function changeChoice(
  bootLoader: BootLoader,
  event: ChoiceEvent,
): Promise<BootChoice> {
  const choice = choiceAfter(await bootLoader.readChoice(), event);
  await bootLoader.writeChoice(choice);
  return choice;
}

/** Throws STATE_UNDONE while the old system is chosen for the next boot. */
export function refuseUndone(choice: BootChoice | undefined): void {
  if (choice?.previous === true) throw refusal('previous', choice);
}

const refusals: Readonly<Record<Refusal, readonly [code: Uppercase<string>, ...string[]]>> = {
  'no-choice': [
    'NO_CHOICE',
    'the boot choice is damaged',
    'a boot choice that the boot loader can read',
    'run `pinectl boot-complete`: it writes a fresh one for the running deployment',
  ],
  'on-trial': [
    'ON_TRIAL',
    'the running deployment is on trial',
    'a confirmed deployment',
    'wait until its health checks have passed, or leave it with `pinectl rollback`',
  ],
  'not-on-trial': [
    'NOT_ON_TRIAL',
    'the running deployment is not on trial',
    'a deployment on trial',
    'nothing needs to be done',
  ],
  left: [
    'REBOOT_PENDING',
    'the running deployment was left by a rollback',
    'a deployment that the boot choice names',
    'reboot into the deployment that was chosen, then try again',
  ],
  previous: [
    'UNDONE',
    'the next boot starts the system that was here before',
    'pine to be chosen for the next boot',
    'reboot, or stay with pine: `pinectl hijack --redo`',
  ],
  'not-previous': [
    'NOT_UNDONE',
    'the next boot starts pine already',
    'the system that was here before to be chosen',
    'nothing needs to be done',
  ],
  'in-use': [
    'IN_USE',
    'the deployment is in use',
    'a deployment that neither runs nor is listed',
    'report this: pine should not have asked for it',
  ],
  tries: [
    'TRIES',
    'a trial can not have so many tries',
    '1 to 9',
    'correct trial.tries in pinectl.toml',
  ],
};

function refusal(reason: Refusal, choice: BootChoice | undefined): PineError {
  const [code, summary = '', expected = '', remedy = ''] = refusals[reason];
  return new PineError(`STATE_${code}`, summary, {
    expected,
    found: describeChoice(choice),
    where: 'the boot choice',
    remedy,
  });
}

/** The choice in words, for messages. */
export function describeChoice(choice: BootChoice | undefined): string {
  if (choice === undefined) return 'nothing that could be read';
  const trial = choice.trial && `, ${choice.trial.block} on trial, tries: ${choice.trial.tries}`;
  const previous = choice.previous === true ? ', the old system before all' : '';
  return `order ${choice.order.join(' ')}${trial ?? ''}${previous}`;
}
