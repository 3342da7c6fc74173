import type { RemoteTree } from '../../remote/remote-tree.ts';
import {
  busesOf,
  type KernelDrivers,
  type NeededDevice,
  parseAlias,
  parseBuiltInAlias,
} from './drivers.ts';

/** modules.alias of a full kernel has 2 MB. */
const largestList = 32 << 20;
const largestInitramfs = 128 << 20;

/** Reads from a commit's tree what its kernel and initramfs have drivers for, as far as `devices` need it. */
export async function readCommitDrivers(
  tree: Pick<RemoteTree, 'list' | 'open'>,
  devices: readonly NeededDevice[],
): Promise<KernelDrivers> {
  const buses = busesOf(devices);
  const aliases: (readonly [string, string])[] = [];
  const builtIn: (readonly [string, string])[] = [];
  for (const parent of ['/lib/modules', '/usr/lib/modules']) {
    for (const version of (await tree.list(parent)) ?? []) {
      const folder = `${parent}/${version}`;
      const list = await tree.open(`${folder}/modules.alias`, largestList);
      for await (const line of records(list, '\n')) {
        const alias = parseAlias(line, buses);
        if (alias !== undefined) aliases.push(alias);
      }
      const own = await tree.open(`${folder}/modules.builtin.modinfo`, largestList);
      for await (const record of records(own, '\0')) {
        const alias = parseBuiltInAlias(record, buses);
        if (alias !== undefined) builtIn.push(alias);
      }
    }
  }
  const archive = await tree.open('/boot/initramfs', largestInitramfs);
  return { aliases, builtIn, initramfs: await modulesOf(archive) };
}

/** A stream cut at a separator, one piece at a time (S9). */
async function* records(
  stream: AsyncIterable<Uint8Array> | undefined,
  separator: string,
): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of stream ?? []) {
    const parts = (rest + Buffer.from(piece).toString('latin1')).split(separator);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}

/**
 * The modules in an initramfs of pine's: an uncompressed newc cpio, of whose entries only the headers
 * are looked at. Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
async function modulesOf(archive: AsyncIterable<Uint8Array> | undefined): Promise<Set<string>> {
  const modules = new Set<string>();
  const headerSize = 110;
  let held = Buffer.alloc(0);
  let skip = 0;
  for await (const piece of archive ?? []) {
    held = Buffer.concat([held, piece]);
    for (;;) {
      const passed = Math.min(skip, held.length);
      held = held.subarray(passed);
      skip -= passed;
      if (skip > 0 || held.length < headerSize) break;
      const number = (at: number) => Number.parseInt(held.toString('latin1', at, at + 8), 16);
      const nameSize = number(94);
      if (held.toString('latin1', 0, 6) !== '070701' || !(nameSize < 4096)) return modules;
      if (held.length < headerSize + nameSize) break;
      const name = held.toString('utf8', headerSize, headerSize + nameSize - 1);
      const found = /^modules\/(.+)\.ko$/.exec(name)?.[1];
      if (found !== undefined) modules.add(found.replaceAll('-', '_'));
      skip = ((headerSize + nameSize + 3) & ~3) + ((number(54) + 3) & ~3);
    }
  }
  return modules;
}
