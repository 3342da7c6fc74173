import { createHash } from 'node:crypto';
import type { ImageFile, ImageReader } from './image-files.ts';

const readSize = 1 << 20;

/** Finds the old file that a new one was probably made of. */
export class References {
  readonly #image: ImageReader;
  readonly #byObject = new Map<string, ImageFile>();
  readonly #bySize = new Map<number, ImageFile[]>();
  readonly #byPath = new Map<string, ImageFile>();
  readonly #byFolder = new Map<string, ImageFile>();
  readonly #byNumbers = new Map<string, ImageFile[]>();
  readonly #byName = new Map<string, ImageFile[]>();
  readonly #hashes = new Map<ImageFile, string>();

  constructor(files: readonly ImageFile[], image: ImageReader) {
    this.#image = image;
    for (const file of files) {
      const object = image.objectAt?.(file.offset);
      if (object !== undefined) addFirst(this.#byObject, object, file);
      add(this.#bySize, file.size, file);
      addFirst(this.#byPath, file.path, file);
      addFirst(this.#byFolder, withoutFolderNumbers(file.path), file);
      add(this.#byNumbers, withoutNumbers(file.path), file);
      add(this.#byName, withoutNumbers(baseName(file.path)), file);
    }
  }

  /** The same bytes, under any name. Reads only what has the same size, unless both images tell. */
  async same(file: ImageFile, image: ImageReader): Promise<ImageFile | undefined> {
    const object = image.objectAt?.(file.offset);
    const known = object === undefined ? undefined : this.#byObject.get(object);
    if (known?.size === file.size) return known;
    const sameSize = this.#bySize.get(file.size) ?? [];
    if (sameSize.length === 0) return undefined;
    const wanted = await hashOf(image, file);
    for (const old of sameSize) {
      const hash = this.#hashes.get(old) ?? (await hashOf(this.#image, old));
      this.#hashes.set(old, hash);
      if (hash === wanted) return old;
    }
    return undefined;
  }

  /**
   * The same path; the same name in a folder with other numbers (a version, as of a kernel); the same path with other numbers
   * anywhere; or the same name elsewhere. Of several the one of nearly the same size.
   */
  similar({ path, size }: ImageFile): ImageFile | undefined {
    return (
      this.#byPath.get(path) ??
      this.#byFolder.get(withoutFolderNumbers(path)) ??
      nearest(this.#byNumbers.get(withoutNumbers(path)), size) ??
      nearest(this.#byName.get(withoutNumbers(baseName(path))), size)
    );
  }
}

async function hashOf(image: ImageReader, { offset, size }: ImageFile): Promise<string> {
  const hash = createHash('sha256');
  for (let done = 0; done < size; done += readSize) {
    hash.update(await image.read(offset + done, Math.min(readSize, size - done)));
  }
  return hash.digest('hex');
}

function addFirst(map: Map<string, ImageFile>, key: string, file: ImageFile): void {
  if (!map.has(key)) map.set(key, file);
}

function add<Key>(map: Map<Key, ImageFile[]>, key: Key, file: ImageFile): void {
  const files = map.get(key);
  if (files === undefined) map.set(key, [file]);
  else files.push(file);
}

function nearest(files: readonly ImageFile[] = [], size: number): ImageFile | undefined {
  const distance = (file: ImageFile): number => Math.abs(file.size - size);
  return files.reduce<ImageFile | undefined>(
    (best, file) => (best !== undefined && distance(best) <= distance(file) ? best : file),
    undefined,
  );
}

function withoutFolderNumbers(path: string): string {
  const folder = path.length - baseName(path).length;
  return withoutNumbers(path.slice(0, folder)) + path.slice(folder);
}

function withoutNumbers(path: string): string {
  return path.replace(/\d+/g, '0');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
