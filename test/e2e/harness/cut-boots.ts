import { rmSync } from 'node:fs';
import type { Status } from '../../../src/deploy/status.ts';
import { ipv6Network } from './debian-network.ts';
import { Machine } from './machine.ts';

const signs = {
  installer: /pine-hijack: \d+ s: (the disk is|going on)/,
  debian: /Debian GNU\/Linux 12 \S+ ttyS0\s+\S+ login:/,
};

/** What comes up on a disk first: the installer or Debian's login. The disk stays as it is. */
export async function firstBoot(disk: string): Promise<keyof typeof signs> {
  await using machine = await switchOn(disk);
  const either = new RegExp(`${signs.installer.source}|${signs.debian.source}`);
  await machine.waitForConsole(either, 900);
  return signs.installer.test(machine.console) ? 'installer' : 'debian';
}

/** Whether a disk ends in pine without help: on trial, with its health checks passed. The disk stays as it is. */
export async function endsInPine(disk: string): Promise<string> {
  await using machine = await switchOn(disk);
  await machine.waitForBoot({ seconds: 1200, slot: 'a' });
  const { health }: Status = JSON.parse(await machine.check('pinectl status --json', 300));
  const required = health?.checks.filter(({ severity }) => severity === 'required') ?? [];
  if (required.length === 0 || !required.every(({ passed }) => passed))
    throw new Error(`pine is up, and its health is ${JSON.stringify(health)}`);
  const installer = signs.installer.test(machine.console);
  return installer ? 'the installer went on, then pine' : 'pine';
}

async function switchOn(disk: string): Promise<Machine> {
  rmSync(`${disk}.console`, { force: true });
  return Machine.start({ disk, memory: 512, ipv6: ipv6Network, snapshot: true });
}
