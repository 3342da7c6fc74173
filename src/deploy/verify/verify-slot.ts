import type { SlotName } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import type { Plan } from '../../plan/open-plan.ts';
import { hashImage } from '../../plan/read-back.ts';
import type { Progress } from '../../ports/progress.ts';
import type { PublicKey } from '../../trust/keys.ts';
import type { Machine } from '../machine.ts';
import { planFile } from '../paths.ts';
import { readSlot, type SlotContents, slotSigner } from '../slot-contents.ts';
import { openStoredPlan, storePlan } from '../upgrade/plan-store.ts';
import type { UpgradeRemote } from '../upgrade/survey.ts';
import { type Damage, findDamage, isMediumError } from './find-damage.ts';

/** How a slot was found. */
export interface SlotVerdict {
  readonly slot: SlotName;
  readonly running: boolean;
  /**
   * `whole`: every byte of the image is what a trusted key signed. `damaged`: some are not. `unsigned`: no trusted
   * key signed what is in it. `unreadable`: the slot does not say what it holds.
   */
  readonly result: 'whole' | 'damaged' | 'unsigned' | 'unreadable';
  readonly commit: string;
  readonly version: string;
  readonly signedBy: string;
  readonly imageSize: number;
  readonly imageSha256: string;
  /** What the medium gave; empty when it gave an error. */
  readonly foundSha256: string;
  /** Empty also when there was no plan to compare with: `detail` says so. */
  readonly damage: readonly Damage[];
  /** In words, what else is to be known. */
  readonly detail: string;
}

/** The part of a remote that plans and commits come from. */
export type VerifyRemote = Pick<UpgradeRemote, 'name' | 'objects' | 'fetchCommit' | 'fetchPlan'>;

export interface VerifyOptions {
  readonly keys: readonly PublicKey[];
  /** Asked for a plan that is not kept here. */
  readonly remote?: VerifyRemote | undefined;
  readonly progress?: Progress | undefined;
}

/**
 * Reads a slot's whole image from the medium and compares it with the digest in the signed commit. If it is not
 * the same, every part that is wrong is found and its files are named. Writes nothing but a plan it had to fetch.
 */
export async function verifyWholeSlot(
  machine: Machine,
  slot: SlotName,
  options: VerifyOptions,
): Promise<SlotVerdict> {
  const opener = machine.slots[slot];
  const verdict: SlotVerdict = {
    slot,
    running: slot === machine.running.slot,
    result: 'unreadable',
    commit: '',
    version: '',
    signedBy: '',
    imageSize: 0,
    imageSha256: '',
    foundSha256: '',
    damage: [],
    detail: 'the slot has no trailer',
  };
  let contents: SlotContents | undefined;
  try {
    await opener.dropCache();
    contents = await readSlot(opener);
  } catch (error) {
    if (error instanceof PineError) return { ...verdict, detail: error.message };
    if (isMediumError(error)) return { ...verdict, detail: 'the trailer can not be read' };
    throw error;
  }
  if (contents === undefined) return verdict;
  const signer = await slotSigner(contents, options.keys);
  const known: SlotVerdict = {
    ...verdict,
    commit: contents.checksum,
    version: contents.version,
    signedBy: signer?.name ?? '',
    imageSize: contents.image.size,
    imageSha256: contents.image.sha256,
    detail: '',
  };
  // S5: a digest that nobody signed proves nothing.
  if (signer === undefined) {
    return { ...known, result: 'unsigned', detail: 'no trusted key signed what is in it' };
  }
  return { ...known, ...(await compare(machine, slot, contents, options)) };
}

async function compare(
  machine: Machine,
  slot: SlotName,
  contents: SlotContents,
  options: VerifyOptions,
): Promise<Pick<SlotVerdict, 'result' | 'foundSha256' | 'damage' | 'detail'>> {
  const device = await machine.slots[slot].open('read');
  try {
    const { size, sha256 } = contents.image;
    const found = await hashImage(device, size, options.progress).catch((error: unknown) => {
      if (isMediumError(error)) return undefined;
      throw error;
    });
    const foundSha256 = found?.sha256 ?? '';
    if (foundSha256 === sha256) return { result: 'whole', foundSha256, damage: [], detail: '' };
    const plan = await findPlan(machine, contents, options.remote);
    if (plan === undefined) {
      const detail = 'its plan is neither here nor on the remote: which files can not be told';
      return { result: 'damaged', foundSha256, damage: [], detail };
    }
    const damage = await findDamage(device, plan, options.progress);
    const detail = damage.length > 0 ? '' : 'it was whole when it was read again: a failing medium';
    return { result: 'damaged', foundSha256, damage, detail };
  } finally {
    await device.close();
  }
}

/** The plan of what is in a slot: the one that is kept, or the remote's. `undefined` when there is none. */
export async function findPlan(
  machine: Machine,
  contents: Pick<SlotContents, 'checksum' | 'plan'>,
  remote: VerifyRemote | undefined,
): Promise<Plan | undefined> {
  const { checksum, plan: digest } = contents;
  if (digest === undefined) return undefined;
  const path = planFile(machine, checksum);
  const stored = await openStoredPlan(machine.files, path, digest);
  if (stored !== undefined || remote === undefined) return stored;
  try {
    return await storePlan(machine.files, path, digest, remote.fetchPlan(checksum, digest));
  } catch (error) {
    if (error instanceof PineError) return undefined;
    throw error;
  }
}
