import { PineError } from '../../error.ts';
import { argumentBlocks, type BootChoice } from '../choice.ts';
import { decodeEnvironmentBlock, encodeEnvironmentBlock } from './environment-block.ts';

/** Bytes of `grub/grubenv`: one sector, so that one write changes the choice (S3). */
export const choiceSize = 512;

/** Writes a choice as the 512 bytes of `grub/grubenv`. Throws INPUT_BOOT_CHOICE for one that GRUB would not take. */
export function encodeChoice(choice: BootChoice): Buffer {
  const { order, trial, previous } = choice;
  const bytes = encodeEnvironmentBlock(
    [
      ['pine_order', order.join(' ')],
      ['pine_trial', trial === undefined ? '' : String(trial.block)],
      ['pine_tries', trial === undefined ? '' : String(trial.tries)],
      ...(previous === true ? [['pine_system', 'previous'] as const] : []),
    ],
    choiceSize,
  );
  if (decodeChoice(bytes) === undefined) {
    throw new PineError('INPUT_BOOT_CHOICE', 'the boot loader would not take this choice', {
      expected: 'one to four different blocks of 1 to 4, the trial among them, 0 to 9 tries',
      found: JSON.stringify(choice),
      where: 'the boot choice',
      remedy: 'report this: pine should not have asked for it',
    });
  }
  return bytes;
}

/**
 * Reads the bytes of `grub/grubenv`. Anything odd gives `undefined`, by the same rules as grub.cfg:
 * a choice is taken whole or not at all, and other names are passed over.
 */
export function decodeChoice(bytes: Uint8Array): BootChoice | undefined {
  const variables = bytes.length === choiceSize ? decodeEnvironmentBlock(bytes) : undefined;
  const [order, trial, tries] = ['pine_order', 'pine_trial', 'pine_tries'].map((name) =>
    variables?.get(name),
  );
  if (order === undefined || !/^[1-4]( [1-4]){0,3}$/.test(order)) return undefined;
  const blocks = order.split(' ').map(Number);
  if (new Set(blocks).size !== blocks.length) return undefined;
  const system = variables?.get('pine_system') ?? '';
  if (system !== '' && system !== 'previous') return undefined;
  const previous = system === 'previous' ? ({ previous: true } as const) : {};
  if (trial === '' && tries === '') return { order: blocks, ...previous };
  if (trial === undefined || tries === undefined || !/^[0-9]$/.test(tries)) return undefined;
  const block = argumentBlocks.find((number) => String(number) === trial);
  if (block === undefined || !blocks.includes(block)) return undefined;
  return { order: blocks, trial: { block, tries: Number(tries) }, ...previous };
}
