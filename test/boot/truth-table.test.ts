import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing } from '../support/requirements.ts';
import { applyGrubenv, encodeGrubenv } from './support/grubenv-conditions.ts';
import { otherCondition } from './support/other-conditions.ts';
import { applySlotCondition } from './support/slot-conditions.ts';
import { makeTakenOver } from './support/taken-over.ts';
import { deploymentOf, TinyMachine } from './support/tiny-machine.ts';
import { type Row, readTruthTable } from './support/truth-table.ts';

/** Where a machine without a slot ends, for a minute. A prompt would say "grub>" instead. */
const restarting = /restarting in a minute/;

const rows = readTruthTable();
const unable = missing('grub', 'qemu', 'disk', 'squashfs') !== undefined;
const withoutUefi = missing('ovmf') !== undefined;

// S2 and S4: each row of docs/boot-choice.md, answered by the real GRUB.
describe.skipIf(unable)('the truth table of the boot choice', () => {
  let machine: TinyMachine;
  let takenOver: TinyMachine;
  beforeAll(async () => {
    machine = await TinyMachine.make();
    takenOver = await makeTakenOver();
  });
  afterAll(async () => {
    await machine?.remove();
    await takenOver?.remove();
  });

  it('has all its rows', () => {
    expect(rows.map(({ number }) => Number(number))).toEqual(rows.map((_, index) => index + 1));
    expect(rows.length).toBeGreaterThanOrEqual(112);
  });

  const tested = rows.filter(({ otherwise }) => !(withoutUefi && otherwise === 'UEFI'));
  it.concurrent.for(tested)(
    'row $number: $grubenv $slotA $slotB $otherwise',
    // GRUB drops a character that the port does not take within 100 ms, as on a starved host.
    { retry: 2 },
    async (row, context) => {
      const isTakenOver = row.otherwise.startsWith('taken over');
      await check(isTakenOver ? takenOver : machine, row, context.expect);
    },
  );
});

async function check(machine: TinyMachine, row: Row, expectHere: typeof expect): Promise<void> {
  const { run, prepare } = otherCondition(row.otherwise);
  const answer = await machine.boot(
    async (disk) => {
      await applyGrubenv(machine, disk, row.grubenv);
      await applySlotCondition(disk, 'a', row.slotA);
      await applySlotCondition(disk, 'b', row.slotB);
      await prepare?.(disk, machine);
    },
    { ...run, fastClock: row.choice === 'none' },
  );
  const said = answer.console.slice(-2000);
  expectHere(said).not.toMatch(/grub> |--MORE--|Press any key/);
  if (row.choice === 'none') {
    expectHere(said).toMatch(restarting);
    expectHere(answer.told).toEqual({});
  } else if (row.choice === 'previous') {
    expectHere(answer.told, said).toEqual({ choice: 'previous' });
  } else {
    const named = deploymentOf(Number(row.block || 1));
    expectHere(answer.told, said).toEqual({
      choice: row.choice,
      slot: row.slot,
      block: row.block,
      skipped: row.skipped,
      id: row.block === '' ? '' : named.id,
      args: row.block === '' ? '' : named.kernelArguments,
      root: row.slot === 'a' ? '(hd0,gpt4)' : '(hd0,gpt5)',
      partuuid: machine.partuuid(row.slot === 'a' ? 'root-a' : 'root-b'),
    });
  }
  // Never at a prompt, never hanging: the machine ends by itself, with a reset.
  expectHere(answer.end, said).toBe('exit');
  const addition = / and .*$/.exec(row.grubenv)?.[0] ?? '';
  const written = row.writes === '' ? [] : [machine.grubenvAt];
  expectHere(answer.changed, 'positions of changed sectors').toEqual(written);
  if (row.writes !== '') {
    expectHere(answer.grubenv.toString('latin1')).toBe(
      encodeGrubenv(row.writes + addition).toString('latin1'),
    );
  }
}
