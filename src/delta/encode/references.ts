import { createHash } from 'node:crypto';
import type { ImageFile, ImageReader } from './image-files.ts';

const readSize = 1 << 20;

/** Finds the old file that a new one was probably made of. */
export class References {
  readonly #image: ImageReader;
  readonly #byObject = new Map<string, ImageFile>();
  readonly #bySize = new Map<number, ImageFile[]>();
  readonly #byPath = new Map<string, ImageFile>();
  readonly #byNumbers = new Map<string, ImageFile>();
  readonly #byName = new Map<string, ImageFile>();
  readonly #hashes = new Map<ImageFile, string>();

  constructor(files: readonly ImageFile[], image: ImageReader) {
    this.#image = image;
    for (const file of files) {
      const object = image.objectAt?.(file.offset);
      if (object !== undefined) addFirst(this.#byObject, object, file);
      const sameSize = this.#bySize.get(file.size);
      if (sameSize === undefined) this.#bySize.set(file.size, [file]);
      else sameSize.push(file);
      addFirst(this.#byPath, file.path, file);
      addFirst(this.#byNumbers, withoutNumbers(file.path), file);
      addFirst(this.#byName, withoutNumbers(baseName(file.path)), file);
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

  /** The same path, the same with other numbers in it (a version, as of a kernel), or the same name elsewhere. */
  similar({ path }: ImageFile): ImageFile | undefined {
    return (
      this.#byPath.get(path) ??
      this.#byNumbers.get(withoutNumbers(path)) ??
      this.#byName.get(withoutNumbers(baseName(path)))
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

function withoutNumbers(path: string): string {
  return path.replace(/\d+/g, '0');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
