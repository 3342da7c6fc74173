import type { FileSystem } from '../ports/file-system.ts';

const mostFiles = 32;
const fileLimit = 64 * 1024;
const toldLength = 160;

/**
 * What a kernel said as it panicked, out of the records that the firmware keeps across a reset (pstore: ERST, EFI
 * variables or ramoops). `undefined` where there are none, or none since then (seconds since 1970). Nothing is removed.
 * Source: Linux, Documentation/ABI/testing/pstore.
 */
export async function readPanic(
  files: Pick<FileSystem, 'readFolder' | 'readAt' | 'status'>,
  folder: string,
  since: number,
): Promise<string | undefined> {
  let latest: { readonly time: number; readonly text: string } | undefined;
  try {
    const names = ((await files.readFolder(folder)) ?? []).filter((name) => /^dmesg-/.test(name));
    for (const name of names.sort().slice(-mostFiles)) {
      const path = `${folder}/${name}`;
      const time = (await files.status(path))?.mtime ?? 0;
      if (time < since || time < (latest?.time ?? 0)) continue;
      const text = findPanic((await files.readAt(path, 0, fileLimit)).toString('latin1'));
      if (text !== undefined) latest = { time, text };
    }
  } catch {
    // The firmware's records are a bonus: one that can't be read is no reason to fail.
  }
  return latest?.text;
}

/** The line of the panic in a kernel's messages: `Attempted to kill init! exitcode=0x00000100`. */
export function findPanic(messages: string): string | undefined {
  const found = /Kernel panic - not syncing: ([^\n]+)/.exec(messages)?.[1];
  const line = found?.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return line === undefined || line === '' ? undefined : line.slice(0, toldLength);
}
