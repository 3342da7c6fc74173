import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ipv6Network } from './debian-network.ts';
import { copyDisk } from './lab.ts';
import { Machine } from './machine.ts';
import { type Verdict, verdictOn } from './verdict.ts';

/** Copies a disk, switches a machine with it on, and off again after some time or when the console shows something. Gives the time that it ran, in milliseconds. */
export async function runUntil(
  from: string,
  disk: string,
  end: { readonly milliseconds: number } | { readonly console: RegExp },
): Promise<number> {
  await copyDisk(from, disk);
  rmSync(`${disk}.console`, { force: true });
  const started = Date.now();
  const machine = await Machine.start({ disk, memory: 512, ipv6: ipv6Network });
  try {
    if ('console' in end) await machine.waitForConsole(end.console, 600);
    else await new Promise((resolve) => setTimeout(resolve, end.milliseconds));
  } finally {
    await machine.kill();
  }
  return Date.now() - started;
}

/** Machines that are switched off before the console shows `end`. */
export interface LiveCuts {
  /** The disk that each begins with. */
  readonly from: string;
  readonly folder: string;
  readonly phase: string;
  readonly end: RegExp;
  readonly count: number;
  readonly random: (below: number) => number;
  readonly lanes: number;
}

/**
 * Switches machines off at moments by chance, and judges what is on their disks. A first run tells how long it takes to
 * `end`. One that was faster, and passed it, is not counted: `judge` says so by giving nothing.
 */
export async function judgeLiveCuts(
  { from, folder, phase, end, count, random, lanes }: LiveCuts,
  judge: (disk: string) => Promise<string | undefined>,
): Promise<Verdict[]> {
  const path = (lane: number) => join(folder, `live-${lane}.img`);
  const most = await runUntil(from, path(0), { console: end });
  const verdicts: Verdict[] = [];
  const cut = async (disk: string): Promise<void> => {
    const milliseconds = random(most);
    const where = `${(milliseconds / 1000).toFixed(1)} s after it was switched on`;
    let late = false;
    const verdict = await verdictOn(phase, where, async () => {
      await runUntil(from, disk, { milliseconds });
      const seen = await judge(disk);
      late = seen === undefined;
      return seen ?? 'too late: not counted';
    });
    if (!late) verdicts.push(verdict);
  };
  const rest = Array.from({ length: lanes }, async (_, lane) => {
    const share = Math.ceil((count - lane) / lanes);
    for (let left = share * 3; left > 0 && verdicts.length < count; left -= 1)
      await cut(path(lane));
    for (const end of ['', '.console', '.control']) rmSync(`${path(lane)}${end}`, { force: true });
  });
  await Promise.all(rest);
  return verdicts;
}
