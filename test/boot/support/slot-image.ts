import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../../src/install/program.ts';

/** The files under /boot of a slot, by name. `undefined` leaves one out. */
export type BootFolder = Readonly<Record<string, Uint8Array | string | undefined>>;

/** A pine.cfg that says what was passed to it, then ends the machine instead of loading a kernel. */
export const markerScript = `
echo "@ choice=$pine_choice"
echo "@ slot=$pine_slot"
echo "@ id=$pine_id"
echo "@ block=$pine_block"
echo "@ skipped=$pine_skipped"
echo "@ args=$pine_args"
echo "@ root=$pine_root"
echo "@ partuuid=$pine_partuuid"
reboot
`;

/** A whole /boot: kernel and initramfs of noise, the marker script, and the three hash lists. */
export function wholeBootFolder(seed: string, script = markerScript): Record<string, Buffer> {
  const noise = (name: string, size: number) => {
    const parts = Array.from({ length: size / 32 }, (_, index) =>
      createHash('sha256').update(`${seed} ${name} ${index}`).digest(),
    );
    return Buffer.concat(parts);
  };
  const files: Record<string, Buffer> = {
    vmlinuz: noise('vmlinuz', 65536),
    initramfs: noise('initramfs', 32768),
    'pine.cfg': Buffer.from(script),
  };
  for (const name of Object.keys(files)) {
    const digest = createHash('sha256').update(files[name] ?? '');
    files[`${name}.sha256`] = Buffer.from(`${digest.digest('hex')}  ${name}\n`);
  }
  return files;
}

/** A squashfs as the stock program makes it, stored, with the given /boot. */
export async function makeSlotImage(files: BootFolder): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'pine-slot-'));
  try {
    await mkdir(join(folder, 'root/boot'), { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      if (content !== undefined) await writeFile(join(folder, 'root/boot', name), content);
    }
    const image = join(folder, 'image');
    await runProgram('mksquashfs', [
      ...[join(folder, 'root'), image, '-noI', '-noD', '-noF', '-noX', '-no-fragments'],
      ...['-no-exports', '-b', '16384', '-quiet', '-no-progress', '-processors', '1'],
    ]);
    return await readFile(image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
