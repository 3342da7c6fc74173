import { globMatches } from './glob.ts';
import type { Host } from './host.ts';

/** A device that the new kernel must have a driver for. */
export interface NeededDevice {
  /** What it belongs to: `the disk vda`, `the network card eth0`. */
  readonly of: string;
  /** What the kernel knows it by, as `virtio:d00000002v00001AF4`. */
  readonly modalias: string;
  /** Its driver here. */
  readonly driver: string;
  /** Whether that is a module that was loaded, and not a part of the kernel. */
  readonly loaded: boolean;
  /** The initramfs must have it: the root can't be reached without. */
  readonly early: boolean;
}

/**
 * Finds what a disk and network cards hang on: the device itself and every one above it that has a
 * driver, up to the machine's bus.
 */
export async function readNeededDevices(
  host: Host,
  disk: string,
  interfaces: readonly string[],
): Promise<NeededDevice[]> {
  const found = await chain(host, `/sys/block/${disk}/device`, `the disk ${disk}`, true);
  for (const name of interfaces) {
    const of = `the network card ${name}`;
    found.push(...(await chain(host, `/sys/class/net/${name}/device`, of, false)));
  }
  return found;
}

async function chain(
  host: Host,
  path: string,
  of: string,
  early: boolean,
): Promise<NeededDevice[]> {
  const devices: NeededDevice[] = [];
  let at = (await host.resolve(path)) ?? '';
  for (; at.startsWith('/sys/devices/'); at = at.slice(0, at.lastIndexOf('/'))) {
    const modalias = (await host.readText(`${at}/modalias`))?.trim();
    const driver = await host.resolve(`${at}/driver`);
    if (!modalias || driver === undefined) continue;
    const module = await host.resolve(`${driver}/module`);
    const loaded = module !== undefined && (await host.exists(`${module}/initstate`));
    devices.push({ of, modalias, driver: lastPart(module ?? driver), loaded, early });
  }
  return devices;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What a kernel has drivers for. */
export interface KernelDrivers {
  /** Pairs of a pattern and a module, out of modules.alias. */
  readonly aliases: readonly (readonly [pattern: string, module: string])[];
  /** The same for what is built in, out of modules.builtin.modinfo. */
  readonly builtIn: readonly (readonly [pattern: string, module: string])[];
  /** Modules that the initramfs loads. */
  readonly initramfs: ReadonlySet<string>;
}

/** A device that would be without a driver. */
export interface MissingDriver {
  readonly device: NeededDevice;
  /** The modules that would drive it, but are not in the initramfs; none: the kernel has no driver. */
  readonly notInInitramfs: readonly string[];
}

/** Which of the devices a kernel can't drive, or not early enough. */
export function findMissingDrivers(
  devices: readonly NeededDevice[],
  { aliases, builtIn, initramfs }: KernelDrivers,
): MissingDriver[] {
  return devices.flatMap((device) => {
    const matching = (list: KernelDrivers['aliases']) =>
      list.filter(([pattern]) => globMatches(pattern, device.modalias)).map(([, module]) => module);
    if (matching(builtIn).length > 0) return [];
    const modules = matching(aliases);
    const usable = device.early ? modules.filter((name) => initramfs.has(name)) : modules;
    if (usable.length > 0) return [];
    // What is a part of the kernel here and no module there is one of its own parts (a PCI bridge).
    if (modules.length === 0 && !device.loaded) return [];
    return [{ device, notInInitramfs: modules }];
  });
}

/** Parses lines of modules.alias that are for one of the buses: `alias PATTERN MODULE`. */
export function parseAlias(line: string, buses: ReadonlySet<string>) {
  const [word, pattern = '', module] = line.split(' ');
  const bus = pattern.slice(0, pattern.indexOf(':'));
  if (word !== 'alias' || module === undefined || !buses.has(bus)) return undefined;
  return [pattern, module.trim().replaceAll('-', '_')] as const;
}

/** The same of a record of modules.builtin.modinfo: `MODULE.alias=PATTERN`. */
export function parseBuiltInAlias(record: string, buses: ReadonlySet<string>) {
  const found = /^([^.]+)\.alias=(([^:]+):.*)$/s.exec(record);
  const [, module = '', pattern = '', bus = ''] = found ?? [];
  return found !== null && buses.has(bus) ? ([pattern, module] as const) : undefined;
}

/** The buses that devices are on: what stands before the colon. */
export function busesOf(devices: readonly NeededDevice[]): Set<string> {
  return new Set(devices.map(({ modalias }) => modalias.slice(0, modalias.indexOf(':'))));
}
