import type { SlotName } from '../boot/choice.ts';
import { PineError } from '../error.ts';
import { writableImageSize } from '../image/slot.ts';
import type { PublicKey } from '../trust/keys.ts';
import { tellSigner } from '../trust/tell-signer.ts';
import type { Machine } from './machine.ts';
import type { Origin } from './origin/origin.ts';
import { readOrigin } from './origin/origin-file.ts';
import { isPinned } from './pins/pins.ts';
import type { Situation } from './situation.ts';
import { readOpenSlot, slotSignatures } from './slot-contents.ts';
import type { Staged } from './staging/staged.ts';

/** What `pinectl status` tells about a slot. */
export interface SlotStatus {
  readonly slot: SlotName;
  readonly running: boolean;
  /** Argument blocks of this slot's deployments that may boot, best first. */
  readonly deployments: readonly {
    readonly id: string;
    readonly block: number;
    readonly state: 'confirmed' | 'trial';
    readonly pinned: boolean;
  }[];
  /** Bytes that an image in it may have. */
  readonly room?: number;
  /** What the trailer says; absent when there is none that can be read. */
  readonly contents?: {
    readonly commit: string;
    readonly version: string;
    readonly timestamp: number;
    readonly imageSize: number;
    readonly imageSha256: string;
    /** The trusted key that signed it; null when none did. */
    readonly signedBy: string | null;
    /** How it came to this machine; null when that is not on record. */
    readonly origin: Origin | null;
  };
  readonly problem?: string;
}

/** Deployments of one image differ in their kernel arguments only: the latest record tells. */
async function originOf(
  machine: Machine,
  commit: string,
  ids: readonly string[],
): Promise<Origin | undefined> {
  let latest: Origin | undefined;
  for (const id of ids) {
    const origin = await readOrigin(machine, { id, commit });
    if (origin !== undefined && origin.time >= (latest?.time ?? 0)) latest = origin;
  }
  return latest;
}

/** Reads what a slot says of itself, and what is known of it besides. Writes nothing. */
export async function slotStatus(
  machine: Machine,
  slot: SlotName,
  { choice, deployments, pins }: Situation,
  { staged, keys }: { readonly staged: Staged | undefined; readonly keys: readonly PublicKey[] },
): Promise<SlotStatus> {
  const listed = (choice?.order ?? []).flatMap((block) =>
    deployments.filter((deployment) => deployment.block === block && deployment.slot === slot),
  );
  const base = {
    slot,
    running: slot === machine.running.slot,
    deployments: listed.map(({ id, block }) => ({
      id,
      block,
      state: block === choice?.trial?.block ? ('trial' as const) : ('confirmed' as const),
      pinned: isPinned(pins, id),
    })),
  };
  let room: number | undefined;
  try {
    const opener = machine.slots[slot];
    const device = await opener.open('read');
    room = writableImageSize(device.size);
    const contents = await readOpenSlot(device, opener.name).finally(() => device.close());
    if (contents === undefined) return { ...base, room, problem: 'empty, or being written' };
    const { checksum, version, commit, image, trailer } = contents;
    const ids = deployments.filter((known) => known.slot === slot).map(({ id }) => id);
    if (staged?.slot === slot) ids.push(staged.deployment);
    return {
      ...base,
      room,
      contents: {
        commit: checksum,
        version,
        timestamp: commit.timestamp,
        imageSize: image.size,
        imageSha256: image.sha256,
        origin: (await originOf(machine, checksum, ids)) ?? null,
        signedBy: tellSigner(trailer.commit, slotSignatures(contents), keys)?.name ?? null,
      },
    };
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
    return { ...base, ...(room !== undefined && { room }), problem: error.message };
  }
}
