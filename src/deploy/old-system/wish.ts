import { type OldSystemWish, wishFile } from '../../boot/old-system-wish.ts';
import { replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';

const wishes: readonly OldSystemWish[] = ['keep-data', 'wipe'];
const limit = 64;

/** What is wanted; `undefined`: nothing but that it is kept. What makes no sense counts as that. */
export async function readWish({
  files,
  etc,
}: Pick<Machine, 'files' | 'etc'>): Promise<OldSystemWish | undefined> {
  const bytes = await files.readFile(`${etc}/${wishFile}`, limit).catch(() => undefined);
  const text = bytes?.toString('latin1').trim();
  return wishes.find((wish) => wish === text);
}

/** Keeps what is wanted, durably (S6). */
export async function writeWish(
  { files, etc }: Pick<Machine, 'files' | 'etc'>,
  wish: OldSystemWish,
): Promise<void> {
  await replaceFile(files, `${etc}/${wishFile}`, Buffer.from(`${wish}\n`));
}
