import { join } from 'node:path/posix';
import type { Machine } from '../machine.ts';
import { mountTableLimit, parseMounts } from './mount-table.ts';
import {
  type PassedOver,
  parseStateList,
  standardPaths,
  stateFolderOf,
  stateListLimit,
} from './state-list.ts';

/** A path whose contents stay when the release changes. */
export interface KeptPath {
  readonly path: string;
  /** `image`: the release lists it; `machine`: the administrator does. */
  readonly listedBy: 'image' | 'machine';
  /** Where its contents are. */
  readonly folder: string;
  /** False for one that was listed since the machine booted, or that the image has no folder for. */
  readonly mounted: boolean;
}

/** What stays on a machine, and what of the lists makes no sense. */
export interface Kept {
  readonly paths: readonly KeptPath[];
  readonly passedOver: readonly (PassedOver & { readonly file: string })[];
}

/** The administrator's list. */
export function machineListFile(machine: Pick<Machine, 'etc'>): string {
  return `${machine.etc}/pine/state.list`;
}

/** Reads both lists and what is mounted. A list that can't be read counts as empty, as it does at a boot. */
export async function readKept(machine: Machine): Promise<Kept> {
  const { files, data, root } = machine;
  const imageFile = join(root ?? '/', 'usr/lib/pine/state.list');
  const shipped = root === undefined ? undefined : await files.readFile(imageFile, stateListLimit);
  const image =
    shipped === undefined
      ? { paths: standardPaths, passedOver: [] }
      : parseStateList(shipped.toString('latin1'));
  const ownFile = machineListFile(machine);
  const own = await files.readFile(ownFile, stateListLimit);
  const local = parseStateList(own?.toString('latin1') ?? '', image.paths);
  const table =
    root === undefined ? undefined : await files.readFile('/proc/mounts', mountTableLimit);
  const places = new Set(parseMounts(table?.toString('latin1') ?? '').map(({ place }) => place));
  const describe = (listedBy: KeptPath['listedBy']) => (path: string) => ({
    path,
    listedBy,
    folder: `${data}/state/${stateFolderOf(path)}`,
    mounted: places.has(path),
  });
  return {
    paths: [...image.paths.map(describe('image')), ...local.paths.map(describe('machine'))],
    passedOver: [
      ...image.passedOver.map((line) => ({ ...line, file: imageFile })),
      ...local.passedOver.map((line) => ({ ...line, file: ownFile })),
    ],
  };
}
