import { PineError } from '../../error.ts';
import type { Deployment } from '../choice.ts';
import { decodeEnvironmentBlock, encodeEnvironmentBlock } from './environment-block.ts';

/** Bytes of `grub/deployment-N.env`. */
export const deploymentSize = 4096;

/** The kernel takes a command line of 2048 bytes on x86; pine's own arguments need up to 512 of them. */
const argumentsLimit = 1536;

/**
 * Says what is wrong with kernel arguments; `undefined` when a deployment can carry them.
 *
 * They are words of printable ASCII with single spaces between them. GRUB would read quotes, `$` and `\`
 * as its own, and match `*`, `?` and `[` against file names.
 */
export function kernelArgumentsProblem(text: string): string | undefined {
  if (text.length > argumentsLimit) return `${text.length} bytes (at most ${argumentsLimit})`;
  const character = /[^ !#%&()+,\-./0-9:;<=>@A-Z^_a-z{|}~]/.exec(text)?.[0];
  if (character !== undefined) return `the character ${JSON.stringify(character)}`;
  return /^ | {2}| $/.test(text) ? 'a space at an end, or two in a row' : undefined;
}

/** Throws INPUT_KERNEL_ARGUMENTS when a deployment can't carry these arguments. */
export function checkKernelArguments(text: string): void {
  const problem = kernelArgumentsProblem(text);
  if (problem === undefined) return;
  throw new PineError('INPUT_KERNEL_ARGUMENTS', 'these kernel arguments can not be stored', {
    expected: 'words of printable ASCII without quotes, $, \\, *, ? and [, one space between them',
    found: problem,
    where: 'the kernel arguments',
    remedy: 'change the arguments',
  });
}

/** An argument block that describes nothing: GRUB passes it over. */
export function emptyDeployment(): Buffer {
  return encodeEnvironmentBlock([], deploymentSize);
}

/** Writes a deployment as the 4096 bytes of its argument block. Throws INPUT_KERNEL_ARGUMENTS or INPUT_DEPLOYMENT. */
export function encodeDeployment(deployment: Deployment): Buffer {
  checkKernelArguments(deployment.kernelArguments);
  const bytes = encodeEnvironmentBlock(
    [
      ['pine_id', deployment.id],
      ['pine_slot', deployment.slot],
      ['pine_args', deployment.kernelArguments],
      ['pine_commit', deployment.commit],
    ],
    deploymentSize,
  );
  if (decodeDeployment(bytes) === undefined) {
    throw new PineError('INPUT_DEPLOYMENT', 'the boot loader would not take this deployment', {
      expected: 'an id of 1 to 32 of [0-9a-z.-], slot a or b, a commit of 64 hex digits',
      found: JSON.stringify(deployment),
      where: 'the deployment',
      remedy: 'report this: pine should not have asked for it',
    });
  }
  return bytes;
}

/** Reads an argument block; `undefined` when it is empty or anything in it is odd. */
export function decodeDeployment(bytes: Uint8Array): Deployment | undefined {
  const variables = bytes.length === deploymentSize ? decodeEnvironmentBlock(bytes) : undefined;
  if (variables?.size !== 4) return undefined;
  const [id, slot, kernelArguments, commit] = [
    'pine_id',
    'pine_slot',
    'pine_args',
    'pine_commit',
  ].map((name) => variables.get(name));
  if (id === undefined || !/^[0-9a-z.-]{1,32}$/.test(id)) return undefined;
  if (slot !== 'a' && slot !== 'b') return undefined;
  if (kernelArguments === undefined) return undefined;
  if (kernelArgumentsProblem(kernelArguments) !== undefined) return undefined;
  if (commit === undefined || !/^[0-9a-f]{64}$/.test(commit)) return undefined;
  return { id, slot, kernelArguments, commit };
}
