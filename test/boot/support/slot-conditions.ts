import { createHash } from 'node:crypto';
import type { SlotName } from '../../../src/boot/choice.ts';
import { pineCfg } from '../../../src/boot/grub/pine-cfg.ts';
import { type BootFolder, makeSlotImage, wholeBootFolder } from './slot-image.ts';
import type { TinyDisk } from './tiny-machine.ts';

type Files = Record<string, Buffer>;

/** Conditions that are another /boot, in words of docs/boot-choice.md. */
const folders: Readonly<Record<string, (files: Files) => BootFolder>> = {
  'kernel cut short': (files) => ({ ...files, vmlinuz: files.vmlinuz?.subarray(0, 40_000) }),
  'kernel missing': (files) => ({ ...files, vmlinuz: undefined }),
  'initramfs missing': (files) => ({ ...files, initramfs: undefined }),
  'script missing': (files) => ({ ...files, 'pine.cfg': undefined }),
  'list empty': (files) => ({ ...files, 'vmlinuz.sha256': '' }),
  'list zeroed': (files) => ({ ...files, 'vmlinuz.sha256': Buffer.alloc(74) }),
  'list without hash': (files) => ({ ...files, 'vmlinuz.sha256': '\n' }),
  'list cut': (files) => ({
    ...files,
    'vmlinuz.sha256': files['vmlinuz.sha256']?.subarray(0, 64),
  }),
  'list missing': (files) => ({ ...files, 'vmlinuz.sha256': undefined }),
  'list of initramfs empty': (files) => ({ ...files, 'initramfs.sha256': '' }),
  'list of script empty': (files) => ({ ...files, 'pine.cfg.sha256': '' }),
  'script fails': (files) => withScript(files, 'set pine_ready=\nfalse\n'),
  'script loads nothing': (files) => withScript(files, 'set pine_ready=1\n'),
  'script has an error': (files) => withScript(files, 'if true; then\n'),
  // The real script: `linux` refuses noise.
  'kernel is none': (files) => withScript(files, pineCfg()),
};

/** Conditions that are damage to the bytes of a whole image. */
const damages: Readonly<Record<string, (image: Buffer, files: Files) => void>> = {
  'kernel first byte': (image, files) => flip(image, files.vmlinuz, 0),
  'kernel middle byte': (image, files) => flip(image, files.vmlinuz, 32768),
  'kernel last byte': (image, files) => flip(image, files.vmlinuz, 65535),
  'initramfs damaged': (image, files) => flip(image, files.initramfs, 20000),
  'script damaged': (image, files) => flip(image, files['pine.cfg'], 10),
  'superblock zeroed': (image) => image.fill(0, 0, 96),
  'superblock ones': (image) => image.fill(0xff, 4, 96),
  'superblock garbage': (image) => noise(96).copy(image, 4, 4),
  'inodes zeroed': (image) => image.fill(0, table(image, 64), table(image, 72)),
  'inodes garbage': (image) => fillNoise(image, table(image, 64), table(image, 72)),
  'folders zeroed': (image) => image.fill(0, table(image, 72), image.length),
  'all zeros': (image) => image.fill(0),
};

/** Brings one slot of a disk into the condition that a row names; empty means whole. */
export async function applySlotCondition(
  disk: TinyDisk,
  slot: SlotName,
  condition: string,
): Promise<void> {
  if (condition === '') return;
  const files = wholeBootFolder(slot);
  const folder = folders[condition];
  const damage = damages[condition];
  if (folder !== undefined) {
    await disk.writeSlot(slot, await makeSlotImage(folder(files)));
  } else if (damage !== undefined) {
    const image = await disk.readSlot(slot);
    damage(image, files);
    await disk.writeSlot(slot, image);
  } else {
    throw new Error(`docs/boot-choice.md names an unknown condition of a slot: ${condition}`);
  }
}

function withScript(files: Files, script: string): BootFolder {
  const sha256 = createHash('sha256').update(script).digest('hex');
  return { ...files, 'pine.cfg': script, 'pine.cfg.sha256': `${sha256}  pine.cfg\n` };
}

function flip(image: Buffer, content: Buffer | undefined, offset: number): void {
  const at = content === undefined ? -1 : image.indexOf(content);
  if (at === -1) throw new Error('the file is not in one piece in the image');
  image.writeUInt8(image.readUInt8(at + offset) ^ 1, at + offset);
}

/** A table's position, from the superblock. */
function table(image: Buffer, field: number): number {
  return Number(image.readBigUInt64LE(field));
}

export function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1)
    bytes.writeUInt8((at * 131 + ((at * at) >> 3) + 77) & 0xff, at);
  return bytes;
}

function fillNoise(image: Buffer, from: number, to: number): void {
  noise(to - from).copy(image, from);
}
