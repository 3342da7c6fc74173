import { open } from 'node:fs/promises';

/** Makes a file of so many zero bytes, none of which takes room. With `isNew` one that is there already is refused. */
export async function emptyFile(
  path: string,
  size: number,
  { isNew = false }: { readonly isNew?: boolean } = {},
): Promise<void> {
  const file = await open(path, isNew ? 'wx' : 'w');
  try {
    await file.truncate(size);
  } finally {
    await file.close();
  }
}
