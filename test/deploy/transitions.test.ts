import { describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { encodeChoice } from '../../src/boot/grub/choice-codec.ts';
import { type ChoiceEvent, transition } from '../../src/deploy/transitions.ts';

const blocks = [1, 2, 3, 4];

/** Every order of every set of blocks. */
function orders(left: readonly number[] = blocks): number[][] {
  return [
    [],
    ...left.flatMap((block) =>
      orders(left.filter((other) => other !== block)).map((rest) => [block, ...rest]),
    ),
  ];
}

/** Every choice that the boot loader would take, with the counts of tries that matter. */
const choices: readonly BootChoice[] = orders()
  .filter((order) => order.length > 0)
  .flatMap((order) => [
    { order },
    ...order.flatMap((block) => [0, 1, 2, 9].map((tries) => ({ order, trial: { block, tries } }))),
  ])
  .flatMap((choice) => [choice, { ...choice, previous: true }]);

const events: readonly ChoiceEvent[] = blocks.flatMap((running) => [
  { kind: 'confirm', running },
  { kind: 'drop-trial', running },
  { kind: 'recover', running },
  { kind: 'undo', running },
  { kind: 'redo', running },
  { kind: 'return-try', running, limit: 2 },
  ...orders().map((order) => ({ kind: 'relist', running, order }) as const),
  ...blocks.flatMap((other): ChoiceEvent[] => [
    { kind: 'unlist', running, blocks: [other] },
    { kind: 'unlist', running, blocks: blocks.filter((block) => block !== other) },
    { kind: 'roll-back', running, to: other },
    ...[0, 1, 2, 9, 10].map((tries) => ({ kind: 'arm', running, block: other, tries }) as const),
  ]),
]);

const isSame = (a: BootChoice, b: BootChoice) => encodeChoice(a).equals(encodeChoice(b));
const confirmedOf = ({ order, trial }: BootChoice) =>
  order.filter((block) => block !== trial?.block);

describe('every event on every boot choice', () => {
  const results = choices.flatMap((choice) =>
    events.map((event) => ({ choice, event, result: transition(choice, event) })),
  );
  const allowed = results.flatMap(({ choice, event, result }) =>
    'choice' in result ? [{ choice, event, next: result.choice }] : [],
  );
  const wrong = (test: (row: (typeof allowed)[number]) => boolean) =>
    allowed.filter((row) => !test(row)).slice(0, 3);

  it('gives a choice that the boot loader takes, or a refusal', () => {
    expect(results.length).toBeGreaterThan(20_000);
    expect(new Set(allowed.map(({ event }) => event.kind)).size).toBe(10);
    for (const { next } of allowed) encodeChoice(next);
  });

  it('S1: always leaves a confirmed deployment, or the one that runs', () => {
    expect(
      wrong(
        ({ event, next }) =>
          event.kind === 'redo' || // what there was before the undo, whoever runs: it may be the old system
          confirmedOf(next).length > 0 ||
          next.order.includes(event.running),
      ),
    ).toEqual([]);
  });

  it('S1: refuses to unlist what runs, and everything while it is on trial', () => {
    for (const { choice, event, result } of results) {
      if (event.kind !== 'unlist') continue;
      const onTrial = choice.trial?.block === event.running;
      const bad =
        onTrial || event.blocks.includes(event.running) || !choice.order.includes(event.running);
      expect('refused' in result).toBe(bad || choice.previous === true);
    }
  });

  it('S1: arms instead of what is armed, and nothing while what runs is on trial', () => {
    for (const { choice, event, result } of results) {
      if (event.kind !== 'arm' || !('choice' in result)) continue;
      expect(choice.trial?.block).not.toBe(event.running);
      if (choice.trial !== undefined) expect(result.choice.order).not.toContain(choice.trial.block);
    }
  });

  it('S1: relists only what takes nothing away, and nothing during a trial', () => {
    for (const { choice, event, result } of results) {
      if (event.kind !== 'relist' || !('choice' in result)) continue;
      expect(choice.trial).toBeUndefined();
      expect(choice.order).toContain(event.running);
      expect(result.choice).toEqual({ order: event.order });
      expect(event.order).toEqual(expect.arrayContaining([...choice.order]));
    }
  });

  it('S2: leaves none of the unlisted blocks in the order, and no trial', () => {
    expect(
      wrong(
        ({ event, next }) =>
          event.kind !== 'unlist' ||
          (next.trial === undefined && !next.order.some((block) => event.blocks.includes(block))),
      ),
    ).toEqual([]);
  });

  it('confirms nothing but the deployment that runs and is on trial, or all there is', () => {
    expect(
      wrong(({ choice, event, next }) => {
        const fresh = confirmedOf(next).filter((block) => !confirmedOf(choice).includes(block));
        if (event.kind === 'confirm') return fresh.join() === String(event.running);
        if (event.kind === 'recover') return fresh.every((block) => block === event.running);
        if (event.kind === 'roll-back') return fresh.every((block) => block === event.to);
        // The one that was read back is told by the order that a repair had noted (test/crash/repair.test.ts).
        if (event.kind === 'relist')
          return choice.order.every((block) => next.order.includes(block));
        return fresh.every((block) => block === event.running && confirmedOf(choice).length === 0);
      }),
    ).toEqual([]);
  });

  it('S4: starts a trial only by arming, and never adds tries beyond what was asked for', () => {
    expect(
      wrong(({ choice, event, next }) => {
        if (next.trial === undefined) return true;
        if (event.kind === 'arm') return next.trial.tries === event.tries;
        if (event.kind === 'undo' || event.kind === 'redo') return next.trial === choice.trial;
        const before = choice.trial?.tries ?? 0;
        return (
          event.kind === 'return-try' &&
          next.trial.block === choice.trial?.block &&
          next.trial.tries <= Math.max(before, 2) &&
          next.trial.tries <= before + 1
        );
      }),
    ).toEqual([]);
  });

  it('arms in front of what runs, which stays the next', () => {
    expect(
      wrong(
        ({ event, next }) =>
          event.kind !== 'arm' ||
          (next.order[0] === event.block && next.order[1] === event.running),
      ),
    ).toEqual([]);
  });

  it('rolls back to another deployment, and what was left boots no more', () => {
    expect(
      wrong(
        ({ event, next }) =>
          event.kind !== 'roll-back' ||
          (next.order[0] === event.to && !next.order.includes(event.running)),
      ),
    ).toEqual([]);
  });

  it('chooses the old system by undo alone, which changes nothing else, and takes that back by redo', () => {
    expect(
      wrong(
        ({ choice, event, next }) =>
          (next.previous === true) === (event.kind === 'undo') &&
          (event.kind !== 'undo' || isSame(next, { ...choice, previous: true })),
      ),
    ).toEqual([]);
    for (const { choice, event, next } of allowed) {
      if (event.kind !== 'undo') continue;
      const back = transition(next, { kind: 'redo', running: event.running });
      const { previous, ...rest } = choice;
      expect(back).toEqual({ choice: rest });
    }
  });

  it('refuses all but undo, redo and recover while the old system is chosen', () => {
    for (const { choice, event, result } of results) {
      if (choice.previous !== true || ['undo', 'redo', 'recover'].includes(event.kind)) continue;
      expect(result).toEqual({ refused: 'previous' });
    }
  });

  it('S1: refuses to leave pine during the trial of an upgrade, or while one is armed; a first trial may be left', () => {
    for (const { choice, event, result } of results) {
      if (event.kind !== 'undo' || choice.trial === undefined) continue;
      if (choice.order.includes(event.running))
        expect('refused' in result).toBe(choice.order.length > 1);
    }
  });

  it('does nothing with a damaged choice but recover', () => {
    for (const event of events) {
      expect(transition(undefined, event)).toEqual(
        event.kind === 'recover'
          ? { choice: { order: [event.running] } }
          : { refused: 'no-choice' },
      );
    }
  });
});

it('goes the ways of docs/architecture.md', () => {
  const step = (choice: BootChoice | undefined, event: ChoiceEvent) => {
    const result = transition(choice, event);
    if ('refused' in result) throw new Error(result.refused);
    return result.choice;
  };
  const unlisted = step({ order: [1, 2] }, { kind: 'unlist', running: 1, blocks: [2] });
  expect(unlisted).toEqual({ order: [1] });
  const armed = step(unlisted, { kind: 'arm', running: 1, block: 2, tries: 2 });
  expect(armed).toEqual({ order: [2, 1], trial: { block: 2, tries: 2 } });
  expect(step(armed, { kind: 'confirm', running: 2 })).toEqual({ order: [2, 1] });
  expect(step(armed, { kind: 'roll-back', running: 2, to: 1 })).toEqual({ order: [1] });
  expect(step(armed, { kind: 'drop-trial', running: 1 })).toEqual({ order: [1] });
  // A change of kernel arguments, and another one before the reboot: the same slot, another block.
  const changed = step({ order: [1, 2] }, { kind: 'arm', running: 1, block: 3, tries: 2 });
  expect(changed).toEqual({ order: [3, 1, 2], trial: { block: 3, tries: 2 } });
  const again = step(changed, { kind: 'arm', running: 1, block: 4, tries: 2 });
  expect(again).toEqual({ order: [4, 1, 2], trial: { block: 4, tries: 2 } });
  expect(step(again, { kind: 'confirm', running: 4 })).toEqual({ order: [4, 1, 2] });
  expect(step(again, { kind: 'drop-trial', running: 1 })).toEqual({ order: [1, 2] });
});
