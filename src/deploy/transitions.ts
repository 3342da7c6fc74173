import { type BootChoice, withoutPrevious } from '../boot/choice.ts';

/** What can happen to a boot choice. Numbers are argument blocks; `running` is what is booted. */
export type ChoiceEvent =
  /** The slot that `blocks` live in is about to be written (S2). An armed trial is given up. */
  | { readonly kind: 'unlist'; readonly running: number; readonly blocks: readonly number[] }
  /** `block` is whole and durable: it shall be tried at the next boots (S3), instead of one that is armed. */
  | {
      readonly kind: 'arm';
      readonly running: number;
      readonly block: number;
      readonly tries: number;
    }
  /** What was unlisted to be written again with what it held is whole: the order is `order` again (S2). */
  | { readonly kind: 'relist'; readonly running: number; readonly order: readonly number[] }
  /** The running deployment is on trial and good. */
  | { readonly kind: 'confirm'; readonly running: number }
  /** The trial failed, or is given up before it began: another deployment runs. */
  | { readonly kind: 'drop-trial'; readonly running: number }
  /** A boot that says nothing about the trial took a try (S11): it gets it back. */
  | { readonly kind: 'return-try'; readonly running: number; readonly limit: number }
  /** The administrator leaves the running deployment for `to`, which is confirmed. */
  | { readonly kind: 'roll-back'; readonly running: number; readonly to: number }
  /** The administrator leaves pine for the system that was there before. All else stays as it is. */
  | { readonly kind: 'undo'; readonly running: number }
  /** Back to pine: the old system is not chosen any more. */
  | { readonly kind: 'redo'; readonly running: number }
  /** The boot loader could not follow its choice: the running deployment is what works. */
  | { readonly kind: 'recover'; readonly running: number };

/** Why an event can't happen to a choice. */
export type Refusal =
  /** The stored choice is damaged; only `recover` is possible. */
  | 'no-choice'
  /** The running deployment is on trial. */
  | 'on-trial'
  /** It is not the running deployment that is on trial. */
  | 'not-on-trial'
  /** The running deployment is not in the order: it was left, and the reboot is still to come. */
  | 'left'
  /** The old system is chosen for the next boot. */
  | 'previous'
  /** It is not chosen. */
  | 'not-previous'
  /** The event would take away or arm what is running, or what is already listed. */
  | 'in-use'
  /** The number of tries is not 1 to 9. */
  | 'tries';

export type Transition = { readonly choice: BootChoice } | { readonly refused: Refusal };

/**
 * The boot choice after an event, or why the event can't be. All rules about who may boot are here;
 * every result names at least one confirmed deployment, or the one that is running.
 */
export function transition(choice: BootChoice | undefined, event: ChoiceEvent): Transition {
  const { running } = event;
  if (event.kind === 'recover') return { choice: recovered(choice, running) };
  if (choice === undefined) return { refused: 'no-choice' };
  const { order, trial } = choice;
  const runningIsOnTrial = trial?.block === running;
  const confirmed = order.filter((block) => block !== trial?.block);
  // What pine does next would be lost on whoever boots the old system, or lose it: first one, then the other.
  if (choice.previous === true && event.kind !== 'undo' && event.kind !== 'redo') {
    return { refused: 'previous' };
  }

  switch (event.kind) {
    case 'undo': {
      // A first trial may be left: the old system is all that there is to go back to.
      if (trial !== undefined && confirmed.length > 0) return { refused: 'on-trial' };
      if (!order.includes(running)) return { refused: 'left' };
      return { choice: { ...choice, previous: true } };
    }
    case 'redo': {
      if (choice.previous !== true) return { refused: 'not-previous' };
      return { choice: withoutPrevious(choice) };
    }
    case 'unlist': {
      if (runningIsOnTrial) return { refused: 'on-trial' }; // S1
      if (event.blocks.includes(running)) return { refused: 'in-use' }; // S1
      if (!order.includes(running)) return { refused: 'left' };
      return { choice: { order: confirmed.filter((block) => !event.blocks.includes(block)) } };
    }
    case 'relist': {
      if (trial !== undefined) return { refused: 'on-trial' };
      if (!order.includes(running)) return { refused: 'left' };
      // What is listed now stays so.
      if (!order.every((block) => event.order.includes(block))) return { refused: 'in-use' };
      return { choice: { order: event.order } };
    }
    case 'arm': {
      if (runningIsOnTrial) return { refused: 'on-trial' }; // S1
      if (!order.includes(running)) return { refused: 'left' };
      if (order.includes(event.block)) return { refused: 'in-use' };
      if (!Number.isInteger(event.tries) || event.tries < 1 || event.tries > 9) {
        return { refused: 'tries' };
      }
      const { block, tries } = event;
      const others = confirmed.filter((other) => other !== running);
      return { choice: { order: [block, running, ...others], trial: { block, tries } } };
    }
    case 'confirm': {
      if (!runningIsOnTrial || !order.includes(running)) return { refused: 'not-on-trial' };
      return { choice: { order } };
    }
    case 'drop-trial': {
      if (trial === undefined) return { refused: 'not-on-trial' };
      if (runningIsOnTrial) return { refused: 'on-trial' };
      return { choice: { order: confirmed.length > 0 ? confirmed : [running] } };
    }
    case 'return-try': {
      if (!runningIsOnTrial) return { refused: 'not-on-trial' };
      const tries = Math.min(Math.max(event.limit, trial.tries), trial.tries + 1, 9);
      return { choice: { order, trial: { block: trial.block, tries } } };
    }
    case 'roll-back': {
      if (event.to === running || event.to === trial?.block) return { refused: 'in-use' };
      const others = confirmed.filter((block) => block !== running && block !== event.to);
      return { choice: { order: [event.to, ...others] } };
    }
  }
}

function recovered(choice: BootChoice | undefined, running: number): BootChoice {
  const others = (choice?.order ?? []).filter(
    (block) => block !== running && block !== choice?.trial?.block,
  );
  return { order: [running, ...others] };
}
