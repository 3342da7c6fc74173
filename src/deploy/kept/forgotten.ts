import type { Machine } from '../machine.ts';
import { type Mount, mountTableLimit, parseMounts, visibleMounts } from './mount-table.ts';
import { isWithin } from './state-list.ts';

/** A place whose contents are gone after a reboot, and what somebody has put there. */
export interface ForgottenPlace {
  readonly place: string;
  /** `tmpfs`, `ramfs`, or `overlay` with its changes in memory. */
  readonly type: string;
  /** Files and links, by name; at most `mostNamed`. */
  readonly files: readonly string[];
  readonly count: number;
}

/** Files that are named of each place. */
export const mostNamed = 20;
/** Files that are counted of each place: a look must end. */
const mostCounted = 100_000;

/** In memory on every machine, and known to be. */
const byDesign = ['/dev', '/proc', '/run', '/sys', '/tmp'];

/**
 * Finds files that were written to places that a reboot forgets. Everything else on a pine machine is read-only or
 * on a disk. `all` also looks into /tmp.
 */
export async function findForgotten(
  machine: Pick<Machine, 'files'>,
  { all = false }: { all?: boolean } = {},
): Promise<readonly ForgottenPlace[]> {
  const table = await machine.files.readFile('/proc/mounts', mountTableLimit);
  const mounts = visibleMounts(parseMounts(table?.toString('latin1') ?? ''));
  const found: ForgottenPlace[] = [];
  for (const mount of mounts) {
    const isExpected = byDesign.some((folder) => isWithin(mount.place, folder));
    if (isExpected && !(all && isWithin(mount.place, '/tmp'))) continue;
    const folder = writtenFolder(mount, mounts);
    if (folder === undefined) continue;
    const others = mounts.map(({ place }) => place).filter((place) => place !== mount.place);
    const { names, count } = await listFiles(machine, folder, new Set(others));
    if (count === 0) continue;
    const shown = names.map((name) => `${mount.place === '/' ? '' : mount.place}/${name}`);
    found.push({ place: mount.place, type: mount.type, files: shown, count });
  }
  return found;
}

/** Where the files are that a mount would forget; `undefined` when it keeps them. */
function writtenFolder(mount: Mount, mounts: readonly Mount[]): string | undefined {
  if (isMemory(mount)) return mount.place;
  if (mount.type !== 'overlay') return undefined;
  const upper = mount.options.find((option) => option.startsWith('upperdir='))?.slice(9);
  if (upper === undefined) return undefined;
  const holders = mounts.filter(({ place }) => isWithin(upper, place));
  const holder = holders.toSorted((a, b) => b.place.length - a.place.length)[0];
  return holder !== undefined && isMemory(holder) ? upper : undefined;
}

function isMemory({ type }: Mount): boolean {
  return type === 'tmpfs' || type === 'ramfs';
}

/** Files and links below a folder, without what is mounted in it. */
async function listFiles(
  { files }: Pick<Machine, 'files'>,
  folder: string,
  mounted: ReadonlySet<string>,
): Promise<{ names: readonly string[]; count: number }> {
  const names: string[] = [];
  let count = 0;
  const waiting = [''];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    for (const entry of (await files.readFolder(`${folder}${below}`)) ?? []) {
      const path = `${below}/${entry}`;
      if (mounted.has(`${folder}${path}`)) continue;
      const status = await files.status(`${folder}${path}`);
      if (status?.kind === 'directory') {
        waiting.push(path);
        continue;
      }
      if (status === undefined) continue; // it went meanwhile
      count += 1;
      if (names.length < mostNamed) names.push(path.slice(1));
      if (count >= mostCounted) return { names, count };
    }
  }
  return { names: names.sort(), count };
}
