import { PineError } from '../../error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Network } from '../../ports/network.ts';
import type { Machine } from '../machine.ts';
import type { BuiltIn } from './built-in.ts';
import { defaultRoute4, defaultRoute6 } from './default-route.ts';
import type { HealthCheck, Severity } from './health-check.ts';
import type { HealthSettings } from './health-settings.ts';

/** Seconds between two looks. */
const pause = 1;
const routeTableLimit = 1024 * 1024;

/**
 * The built-in checks that are switched on. Each looks again and again until it passes or its time is up, since a
 * lease or a daemon may take a moment. Of one that is required and wanted the former counts. None on a machine
 * without a network, such as a disk image.
 */
export function builtInChecks(
  machine: Pick<Machine, 'files' | 'effects' | 'network'>,
  settings: HealthSettings,
): readonly HealthCheck[] {
  const { network } = machine;
  if (network === undefined) return [];
  const checks = new Map<string, HealthCheck>();
  const add = (builtIn: BuiltIn, severity: Severity) => {
    const { name } = builtIn;
    if (checks.has(name)) return;
    const timeout = settings.timeouts[name] ?? settings.timeout;
    const run = () =>
      untilPassed(network, timeout, (left) => look(machine, network, builtIn, left));
    checks.set(name, { name, severity, timeout, run });
  };
  for (const builtIn of settings.required) add(builtIn, 'required');
  for (const builtIn of settings.wanted) add(builtIn, 'wanted');
  return [...checks.values()];
}

/** `look` gives what it saw, or throws what is wrong. It is told how many seconds are left. */
async function untilPassed(
  network: Network,
  timeout: number,
  look: (left: number) => Promise<string>,
) {
  const end = network.elapsed() + timeout;
  for (;;) {
    try {
      return { passed: true, detail: await look(Math.max(end - network.elapsed(), pause)) };
    } catch (error) {
      const wrong = error instanceof Error ? error.message : String(error);
      const left = end - network.elapsed();
      if (left <= pause) return { passed: false, detail: `${wrong}, for ${timeout} s` };
      await network.wait(pause);
    }
  }
}

async function look(
  { files, effects }: Pick<Machine, 'files' | 'effects'>,
  network: Network,
  builtIn: BuiltIn,
  left: number,
): Promise<string> {
  switch (builtIn.kind) {
    case 'default-route': {
      const device =
        defaultRoute4(await readTable(files, '/proc/net/route')) ??
        defaultRoute6(await readTable(files, '/proc/net/ipv6_route'));
      if (device === undefined) throw new Error('there is no default route');
      return `by ${device}`;
    }
    case 'name-resolution':
      await network.lookUp(builtIn.host, left);
      return builtIn.host;
    case 'sshd': {
      const { address, port } = builtIn;
      const banner = await network.readBanner(address, port, left);
      if (banner.startsWith('SSH-')) return banner;
      throw new Error(`${address}, port ${port}, is no SSH server`);
    }
    case 'remote':
      await network.reach(builtIn.remote, left).catch((error) => {
        throw error instanceof PineError ? new Error(`${error.code}: ${error.message}`) : error;
      });
      return 'it answers';
    case 'service': {
      const status = await effects.runProgram('rc-service', left, {
        parameters: [builtIn.service, 'status'],
      });
      if (status.passed) return 'started';
      throw new Error(`it is not started (${status.detail})`);
    }
  }
}

/** Reads a file of /proc, which does not tell how long it is; empty when it is missing. */
async function readTable(files: FileSystem, path: string): Promise<string> {
  if ((await files.status(path)) === undefined) return '';
  let text = '';
  while (text.length < routeTableLimit) {
    const piece = await files.readAt(path, text.length, 64 * 1024);
    if (piece.length === 0) break;
    text += piece.toString('latin1');
  }
  return text;
}
