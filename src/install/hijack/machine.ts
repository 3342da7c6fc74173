import type { Host } from './host.ts';

/** What kind of machine this is. Sizes are bytes. */
export interface MachineFacts {
  readonly processor: string;
  /** As systemd names it: `kvm`, `xen`, `microsoft`, `none` … */
  readonly virtualization: string;
  /** As systemd names it: `lxc`, `openvz`, `docker` …; `undefined` when it is none. */
  readonly container: string | undefined;
  readonly firmware: 'bios' | 'uefi';
  readonly secureBoot: boolean;
  readonly memory: number;
  readonly swap: number;
  readonly kernel: string;
  readonly distribution: string;
  /** Whether pine booted it already. */
  readonly isPine: boolean;
}

const secureBootVariable =
  '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

export async function readMachine(host: Host): Promise<MachineFacts> {
  const detect = async (kind: string) =>
    (await host.report('systemd-detect-virt', [kind]))?.trim() ?? 'none';
  const memory = (await host.readText('/proc/meminfo')) ?? '';
  const kilobytes = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0);
  const firmware = (await host.exists('/sys/firmware/efi')) ? 'uefi' : 'bios';
  // Four bytes of attributes, then the value
  const variable = (await host.exists(secureBootVariable))
    ? await host.readBytes(secureBootVariable, 0, 5)
    : Buffer.alloc(0);
  const release = (await host.readText('/etc/os-release')) ?? '';
  return {
    processor: host.processor,
    virtualization: await detect('--vm'),
    container: await containerKind(host, await detect('--container')),
    firmware,
    secureBoot: variable[4] === 1,
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
