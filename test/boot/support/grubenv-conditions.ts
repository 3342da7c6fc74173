import { encodeEnvironmentBlock } from '../../../src/boot/grub/environment-block.ts';
import { runProgram } from '../../../src/install/program.ts';
import { noise } from './slot-conditions.ts';
import type { TinyDisk, TinyMachine } from './tiny-machine.ts';

type Variables = readonly (readonly [string, string])[];

/** What a hostile grubenv holds beside the choice. */
const additions: Readonly<Record<string, Variables>> = {
  'pager=1': [['pager', '1']],
  'prefix, root': [
    ['prefix', '(hd9)/nowhere'],
    ['root', 'hd9'],
  ],
  pine_slot_b: [
    ['pine_slot_b', 'gpt4'],
    ['pine_disk', 'hd9'],
  ],
  full: [['filling', 'x'.repeat(512 - 25 - 47 - 9)]],
};

/** Brings grubenv into the state that a row names: `2 1/2/1`, with or without more, or damage in words. */
export async function applyGrubenv(
  machine: TinyMachine,
  disk: TinyDisk,
  condition: string,
): Promise<void> {
  if (condition === 'a hole') {
    const place = `${disk.path}?offset=${machine.partition('boot').start}`;
    await runProgram('debugfs', ['-w', '-R', 'punch /grub/grubenv 0 0', place]);
    return;
  }
  await disk.writeGrubenv(encodeGrubenv(condition));
}

/** The 512 bytes that a condition stands for. */
export function encodeGrubenv(condition: string): Buffer {
  if (condition === 'zeros') return Buffer.alloc(512);
  if (condition === 'garbage') return noise(512);
  if (condition === 'empty block') return encodeEnvironmentBlock([], 512);
  if (condition === 'no signature') {
    const bytes = encodeGrubenv('2 1/-/-');
    bytes.write('# Grub', 0);
    return bytes;
  }
  const match = /^([^/]*)\/([^/]*)\/([^/ ]*)(?:\/([^/ ]*))?(?: and (.*))?$/.exec(condition);
  const [, order = '', trial = '', tries = '', system, addition] = match ?? [];
  const more = addition === undefined ? [] : additions[addition];
  if (match === null || more === undefined) {
    throw new Error(`docs/boot-choice.md names an unknown grubenv: ${condition}`);
  }
  const value = (text: string) => (text === '-' ? '' : text);
  return encodeEnvironmentBlock(
    [
      ...more,
      ['pine_order', value(order)],
      ['pine_trial', value(trial)],
      ['pine_tries', value(tries)],
      ...(system === undefined ? [] : [['pine_system', value(system)] as const]),
    ],
    512,
  );
}
