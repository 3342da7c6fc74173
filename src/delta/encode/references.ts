import type { ImageFile } from './image-files.ts';

/** Finds the old file that a new one was probably made of. */
export class References {
  readonly #byContent = new Map<string, ImageFile>();
  readonly #byPath = new Map<string, ImageFile>();
  readonly #byNumbers = new Map<string, ImageFile>();
  readonly #byName = new Map<string, ImageFile>();

  constructor(files: readonly ImageFile[]) {
    for (const file of files) {
      addFirst(this.#byContent, file.content, file);
      addFirst(this.#byPath, file.path, file);
      addFirst(this.#byNumbers, withoutNumbers(file.path), file);
      addFirst(this.#byName, withoutNumbers(baseName(file.path)), file);
    }
  }

  /** The same bytes, under any name. */
  same({ content, size }: ImageFile): ImageFile | undefined {
    const found = this.#byContent.get(content);
    return found?.size === size ? found : undefined;
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

function addFirst(map: Map<string, ImageFile>, key: string, file: ImageFile): void {
  if (!map.has(key)) map.set(key, file);
}

function withoutNumbers(path: string): string {
  return path.replace(/\d+/g, '0');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
