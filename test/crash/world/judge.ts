import { createHash } from 'node:crypto';
import type { BootChoice } from '../../../src/boot/choice.ts';
import { describeTrailer } from '../../../src/deploy/slot-contents.ts';
import { decodeTrailer, trailerSize } from '../../../src/image/trailer.ts';
import type { World } from './world.ts';

/** What a state after a cut may be. */
export interface Expectation {
  /** The world before anything was done: what runs must be as it was there. */
  readonly before: World;
  /** The block that runs, and that must go on being bootable whatever happens. */
  readonly running: number;
  /** The choices that may be found, as JSON. */
  readonly choices: readonly BootChoice[];
  /** The /etc that each deployment's must be equal to. */
  readonly etc: string;
}

/**
 * Looks at a machine after a power cut, as the next boot would find it, and lists which safety rules are broken.
 * It reads the media only, and with code of its own where that is possible.
 */
export async function judge(world: World, expected: Expectation): Promise<string[]> {
  const broken: string[] = [];
  const { before, running } = expected;
  const choice = await world.boot.readChoice();
  const own = await before.boot.readDeployment(running);
  const slot = own?.slot ?? 'a';

  if (!world.slots[slot].medium.equals(before.slots[slot].medium)) {
    broken.push(`S1: running slot ${slot} was written`);
  }
  const now = await world.boot.readDeployment(running);
  if (JSON.stringify(now) !== JSON.stringify(own)) broken.push('S1: the running block was written');

  if (choice === undefined) return [...broken, 'S3: the choice is torn'];
  if (!expected.choices.some((other) => JSON.stringify(other) === JSON.stringify(choice))) {
    broken.push(`S3: the choice is ${JSON.stringify(choice)}`);
  }
  for (const block of choice.order) broken.push(...(await judgeListed(world, block, expected)));
  const confirmed = choice.order.filter((block) => block !== choice.trial?.block);
  if (!confirmed.includes(running)) broken.push(`S1: block ${running} can not be booted`);
  return broken;
}

/** S2 and S3: what the choice lists is whole. */
async function judgeListed(world: World, block: number, expected: Expectation): Promise<string[]> {
  const deployment = await world.boot.readDeployment(block);
  if (deployment === undefined) return [`S3: listed block ${block} can not be read`];
  const { id, slot, commit } = deployment;
  const broken: string[] = [];
  const found = slotProblem(world.slots[slot].medium, commit);
  if (found !== undefined) broken.push(`S2: block ${block}, slot ${slot}: ${found}`);
  const etc = (files: World['files'], folder: string) =>
    files
      .describe(`/data/etc/${folder}`)
      .map((line) => line.replaceAll(folder, 'ID'))
      .join('\n');
  if (etc(world.files, id) !== etc(expected.before.files, expected.etc)) {
    broken.push(`S3: the /etc of ${id} is not whole`);
  }
  return broken;
}

/** What is wrong with a slot that should hold a commit; `undefined` when nothing is. */
export function slotProblem(medium: Buffer, commit: string): string | undefined {
  try {
    const trailer = decodeTrailer(medium.subarray(medium.length - trailerSize));
    if (trailer === undefined) return 'no trailer';
    const { checksum, image } = describeTrailer(trailer, 'the slot');
    if (checksum !== commit) return `it holds ${checksum}`;
    const sha256 = createHash('sha256').update(medium.subarray(0, image.size)).digest('hex');
    return sha256 === image.sha256 ? undefined : 'the image is not what was signed';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
