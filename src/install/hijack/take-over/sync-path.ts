import { open } from 'node:fs/promises';

/** What a file or folder holds is on stable storage (S6). */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
