import { PineError } from '../error.ts';
import type { Running, Skip } from './machine.ts';

/** Where the initramfs says what it found. */
export const bootReportFile = '/run/pine/boot';

/** The most that is read of `/run/pine/boot`, in bytes. */
export const bootReportLimit = 16 * 1024;

/** What `/run/pine/boot` says: what is running, and the disk that it was started from. */
export interface BootReport {
  readonly running: Running;
  /** Kernel name of the disk: `vda`. */
  readonly disk: string;
  readonly bootDevice: string;
  readonly dataDevice: string;
}

/**
 * Reads what the initramfs left in `/run/pine/boot`: lines `key=value` (docs/architecture.md).
 * Throws CORRUPT_BOOT_REPORT when a needed one is missing or makes no sense.
 */
export function parseBootReport(text: string, where: string): BootReport {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1));
  }
  const value = (key: string, pattern: RegExp): string => {
    const found = values.get(key) ?? '';
    if (pattern.test(found)) return found;
    throw new PineError('CORRUPT_BOOT_REPORT', `the boot report has no usable ${key}`, {
      expected: `a line ${key}=… that matches ${pattern.source}`,
      found: values.has(key) ? JSON.stringify(found.slice(0, 80)) : 'no such line',
      where,
      remedy: "this machine was not started by pine's initramfs; see docs/upgrade.md",
    });
  };
  const block = value('block', /^[1-4]?$/);
  const deadline = /^[0-9]{1,6}$/.exec(values.get('deadline') ?? '')?.[0];
  return {
    running: {
      deployment: value('deployment', /^[0-9a-z.-]{1,32}$/),
      slot: value('slot', /^[ab]$/) as Running['slot'],
      block: block === '' ? undefined : Number(block),
      choice: value('choice', /^(order|trial|emergency)$/) as Running['choice'],
      skipped: parseSkips(values.get('skipped') ?? ''),
      previousSkipped: /(?:^|[\s,])previous:(missing|load)\b/.exec(
        values.get('skipped') ?? '',
      )?.[1],
      data: value('data', /^(ok|repaired|degraded)$/) as Running['data'],
      dataDetail: values.get('data_detail') ?? '',
      watchdogFired: values.get('watchdog_fired') === '1',
      ...(deadline !== undefined && { deadline: Number(deadline) }),
    },
    disk: value('disk', /^[A-Za-z0-9!_-]{1,64}$/),
    bootDevice: values.get('boot_device') ?? '',
    dataDevice: values.get('data_device') ?? '',
  };
}

/** Reads `2:hash 3:tries` (or with commas); what makes no sense is left out. */
export function parseSkips(text: string): readonly Skip[] {
  return text
    .split(/[\s,]+/)
    .map((word) => /^([1-4]):([a-z-]{1,32})$/.exec(word))
    .filter((match) => match !== null)
    .map((match) => ({ block: Number(match[1]), why: String(match[2]) }));
}
