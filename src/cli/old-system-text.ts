import type { OldSystemStatus } from '../deploy/old-system/status.ts';
import { formatBytes } from './output.ts';

/** What `status` says of the system that was here before pine, and what can be done with it. */
export function describeOldSystem(status: OldSystemStatus): string[] {
  const lines = [describe(status)];
  if (status.chosen) {
    lines.push('the next boot starts the old system; to stay with pine: pinectl hijack --redo');
  }
  if (status.problem !== null) lines.push(`the old system: ${status.problem}`);
  return lines;
}

function describe({ state, device, size, mountedAt, wish }: OldSystemStatus): string {
  const where = `${device}${size === null ? '' : ` (${formatBytes(size)})`}`;
  const mounted = mountedAt === null ? 'not mounted' : `under ${mountedAt}`;
  switch (state) {
    case 'kept':
      return wish === 'wipe'
        ? `the old system is in ${where}, and wiped once this machine is confirmed`
        : `the old system is kept in ${where}, its files ${mounted}; back to it: pinectl hijack --undo, to erase it: --wipe`;
    case 'spare':
      return `the old system is wiped; its room, ${where}, is ${mounted}`;
    case 'blank':
      return wish === 'wipe'
        ? `the old system in ${where} is being wiped: a boot, or pinectl hijack --wipe, goes on with it`
        : `the old system in ${where} can not be read: its file system is damaged`;
    case 'unreadable':
      return `the old system in ${where} can not be read`;
  }
}
