import { bootEntryOf, type StartedFile } from './boot-entry.ts';
import type { Host } from './host.ts';

/** What kind of machine this is. Sizes are bytes. */
export interface MachineFacts {
  readonly processor: string;
  /** As systemd names it: `kvm`, `xen`, `microsoft`, `none` … */
  readonly virtualization: string;
  /** As systemd names it: `lxc`, `openvz`, `docker` …; `undefined` when it is none. */
  readonly container: string | undefined;
  readonly firmware: 'bios' | 'uefi';
  /** Of UEFI: 64 or 32. */
  readonly firmwareBits: number;
  readonly secureBoot: boolean;
  /** Whether UEFI's variables can be read: without them nobody knows of Secure Boot. */
  readonly hasVariables: boolean;
  /** What UEFI started; `undefined`: a disk, of which it takes \EFI\BOOT\BOOTX64.EFI, or it does not say. */
  readonly startedFile: StartedFile | undefined;
  readonly memory: number;
  readonly swap: number;
  readonly kernel: string;
  readonly distribution: string;
  /** Whether pine booted it already. */
  readonly isPine: boolean;
}

const efiVariables = '/sys/firmware/efi/efivars';
const vendor = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** Bytes of the largest variable that is read. */
const largestVariable = 4096;

export async function readMachine(host: Host): Promise<MachineFacts> {
  const detect = async (kind: string) =>
    (await host.report('systemd-detect-virt', [kind]))?.trim() ?? 'none';
  const memory = (await host.readText('/proc/meminfo')) ?? '';
  const kilobytes = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0);
  const firmware = (await host.exists('/sys/firmware/efi')) ? 'uefi' : 'bios';
  const variable = async (name: string) => {
    const path = `${efiVariables}/${name}-${vendor}`;
    if (!(await host.exists(path))) return undefined;
    const bytes = await host.readBytes(path, 0, largestVariable).catch(() => undefined);
    return bytes?.subarray(4); // behind its attributes
  };
  const current = await variable('BootCurrent');
  const number = current?.length === 2 ? current.readUInt16LE() : undefined;
  const entry =
    number === undefined
      ? undefined
      : await variable(`Boot${number.toString(16).toUpperCase().padStart(4, '0')}`);
  const release = (await host.readText('/etc/os-release')) ?? '';
  return {
    processor: host.processor,
    virtualization: await detect('--vm'),
    container: await containerKind(host, await detect('--container')),
    firmware,
    firmwareBits: Number((await host.readText('/sys/firmware/efi/fw_platform_size')) ?? 64),
    secureBoot: (await variable('SecureBoot'))?.[0] === 1,
    hasVariables: (await host.list(efiVariables)).length > 0,
    startedFile: entry === undefined ? undefined : bootEntryOf(entry),
    memory: kilobytes('MemTotal'),
    swap: kilobytes('SwapTotal'),
    kernel: ((await host.readText('/proc/sys/kernel/osrelease')) ?? '').trim(),
    distribution: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? 'unknown',
    isPine: await host.exists('/run/pine/boot'),
  };
}

/** systemd's answer, or what containers without systemd leave behind. */
async function containerKind(host: Host, detected: string): Promise<string | undefined> {
  if (detected !== 'none') return detected;
  if (await host.exists('/.dockerenv')) return 'docker';
  if (await host.exists('/run/.containerenv')) return 'podman';
  if ((await host.exists('/proc/vz')) && !(await host.exists('/proc/bc'))) return 'openvz';
  const environment = (await host.readText('/proc/1/environ')) ?? '';
  return /(?:^|\0)container=([^\0]+)/.exec(environment)?.[1];
}
