import { foreignKind, locateFile } from '../../boot/grub/ext4-file.ts';
import { PineError } from '../../error.ts';
import type { BlockDevice, BlockDeviceOpener } from '../../ports/block-device.ts';
import { cachePages } from '../../ports/page-cache.ts';

const script = 'boot/grub/grub.cfg';
const largestScript = 1 << 20;
/** Where a bzImage has its mark. Source: the kernel's Documentation/arch/x86/boot.rst. */
const markAt = 0x202;

/**
 * Throws NOT_FOUND_OLD_SYSTEM unless GRUB could start the old system: its grub.cfg is there, and the first kernel and
 * initramfs that it names are. Reads as GRUB does, past the journal, and mounts nothing (S1).
 */
export async function checkStartable(previous: BlockDeviceOpener): Promise<void> {
  const device = await previous.open('read');
  try {
    // What finds a file lies close together: each small read is a wait of its own.
    await look({ ...device, ...cachePages(device, { pageSize: 65_536, pages: 8 }) }, previous.name);
  } catch (error) {
    if (!(error instanceof PineError) || error.code === 'NOT_FOUND_OLD_SYSTEM') throw error;
    throw notStartable(error.details.where, error.details.expected, error.details.found);
  } finally {
    await device.close();
  }
}

async function look(device: BlockDevice, name: string): Promise<void> {
  const { size, pieces } = await locateFile(device, name, script, foreignKind);
  if (size > largestScript) throw notStartable(script, 'at most 1 MiB', `${size} bytes`);
  const parts: Buffer[] = [];
  for (const { position, length } of pieces) parts.push(await device.read(position, length));
  const text = Buffer.concat(parts).toString('utf8');
  const kernel = pathIn(text, 'linux');
  if (kernel === undefined) throw notStartable(script, 'a line `linux /boot/…`', 'none');
  const [first] = (await locateFile(device, name, kernel, foreignKind)).pieces;
  const mark = first && (await device.read(first.position + markAt, 4)).toString('latin1');
  if (mark !== 'HdrS') throw notStartable(kernel, 'a Linux kernel', 'something else');
  const initramfs = pathIn(text, 'initrd');
  if (initramfs !== undefined) await locateFile(device, name, initramfs, foreignKind);
}

/** The first path that a command of the script has, without the slash that it begins with. */
function pathIn(text: string, command: string): string | undefined {
  return new RegExp(`^\\s*${command}\\s+(?:\\([^)]*\\))?/(\\S+)`, 'm').exec(text)?.[1];
}

function notStartable(where: string, expected: string, found: string): PineError {
  return new PineError('NOT_FOUND_OLD_SYSTEM', 'the old system could not be started', {
    ...{ expected, found, where },
    remedy: 'stay with pine; its files may still be read: `pinectl hijack --keep-data`',
  });
}
