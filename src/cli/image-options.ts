import { randomUUID } from 'node:crypto';
import { PineError } from '../error.ts';

/** The disk's GUID that `--disk-id` asks for; `undefined` without it. Throws USAGE_DISK_ID. */
export function diskUuidOption(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text === 'random') return randomUUID().toUpperCase();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toUpperCase();
  throw new PineError('USAGE_DISK_ID', 'this is not a GUID', {
    expected: 'a UUID, or `random`',
    found: text,
    where: '--disk-id',
    remedy: 'give one such as `uuidgen` prints, or none',
  });
}

/** The path of the layout. Throws USAGE_LAYOUT when there is none. */
export function requireLayout(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new PineError('USAGE_LAYOUT', 'a disk needs a layout', {
    expected: '--layout FILE',
    found: 'none',
    where: 'the command line',
    remedy: 'take layouts/vm.cfg, layouts/vm-small.cfg or your own (docs/layouts.md)',
  });
}
