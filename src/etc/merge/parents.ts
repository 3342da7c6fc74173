import type { EtcEntry } from '../walk.ts';
import { type Placed, placeEntry } from './decision.ts';

/**
 * The folders above what is placed. One that neither side wants for itself is made after all when something in it stays:
 * a file of the administrator in a folder that the release no longer has.
 */
export class Parents {
  readonly #place: (placed: Placed) => Promise<void>;
  /** Folders that were met and not placed, by path. */
  readonly #waiting = new Map<string, Placed>();

  constructor(place: (placed: Placed) => Promise<void>) {
    this.#place = place;
  }

  /** Takes note of a path that is decided: `entry` is what one of the sides has there. */
  pass(placed: Placed | undefined, entry: EtcEntry | undefined): void {
    if (placed !== undefined || entry?.kind !== 'directory') return;
    const folder = placeEntry(entry, 'local');
    if (folder !== undefined) this.#waiting.set(entry.path, folder);
  }

  /** Makes the folders above `path` that were not placed. */
  async make(path: string): Promise<void> {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const folder = this.#waiting.get(path.slice(0, end));
      if (folder === undefined) continue;
      this.#waiting.delete(folder.path);
      await this.#place(folder);
    }
  }
}
