import { open } from 'node:fs/promises';
import { nodeBlockDevice } from '../../../disk/node-block-device.ts';
import { PineError } from '../../../error.ts';
import { type Image, openImage } from '../../../image/reader/open-image.ts';
import { walkFolder } from '../../../image/reader/walk-image.ts';
import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { ImageEtc } from './carry-over.ts';
import { cloudInitPrograms, tinyCloudPrograms, tinyCloudSettings } from './cloud-programs.ts';

/** Bytes of the largest text that is read out of an image (S9). */
const largestText = 1 << 20;
/** Bytes that are copied at a time. */
const pieceSize = 1 << 20;

/** An image in a file, of which some files are taken. */
export class ImageFiles {
  readonly #reader: PositionedReader & { close(): Promise<void> };
  readonly #image: Image;

  private constructor(reader: PositionedReader & { close(): Promise<void> }, image: Image) {
    this.#reader = reader;
    this.#image = image;
  }

  static async open(path: string, size: number): Promise<ImageFiles> {
    const reader = await nodeBlockDevice(path).open('read');
    return new ImageFiles(reader, await openImage(reader, size));
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  /** What /etc is made from. */
  async readEtc(): Promise<ImageEtc> {
    const shells = ['/bin/sh', '/bin/ash', '/bin/bash', '/bin/zsh', '/usr/bin/fish'];
    const present = [];
    for (const shell of shells) if (await this.#has(shell)) present.push(shell);
    return {
      passwd: await this.#text('/etc/passwd'),
      group: await this.#text('/etc/group'),
      shadow: await this.#text('/etc/shadow'),
      sshdConfig: await this.#text('/etc/ssh/sshd_config'),
      pinectlToml: await this.#text('/etc/pine/pinectl.toml'),
      shells: new Set(present),
      seesLogins: await this.#has('/usr/lib/pine/first-login'),
      cloud: {
        cloudInit: await this.#hasOneOf(cloudInitPrograms),
        tinyCloud: (await this.#hasOneOf(tinyCloudPrograms))
          ? await this.#texts(tinyCloudSettings)
          : undefined,
      },
    };
  }

  /** Appends a file of the image to one outside. Throws NOT_FOUND_TREE_FILE. */
  async append(path: string, target: string): Promise<void> {
    const found = await this.#find(path);
    if (found?.kind !== 'file') {
      throw new PineError('NOT_FOUND_TREE_FILE', `the image has no file ${path}`, {
        expected: 'a regular file',
        found: found?.kind ?? 'nothing',
        where: path,
        remedy: 'commit the tree with --bootable',
      });
    }
    const file = await open(target, 'a');
    try {
      for (let at = 0; at < found.size; at += pieceSize) {
        const length = Math.min(pieceSize, found.size - at);
        await file.appendFile(await this.#reader.read(found.offset + at, length));
      }
    } finally {
      await file.close();
    }
  }

  async #text(path: string): Promise<string> {
    const found = await this.#find(path);
    if (found?.kind !== 'file' || found.size > largestText) return '';
    return (await this.#reader.read(found.offset, found.size)).toString('utf8');
  }

  /** By their paths, of those that are there. */
  async #texts(paths: readonly string[]): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    for (const path of paths) if (await this.#has(path)) texts.set(path, await this.#text(path));
    return texts;
  }

  async #hasOneOf(paths: readonly string[]): Promise<boolean> {
    for (const path of paths) if (await this.#has(path)) return true;
    return false;
  }

  async #has(path: string): Promise<boolean> {
    return (await this.#find(path)) !== undefined;
  }

  async #find(path: string) {
    for await (const entry of walkFolder(this.#image, path)) return entry;
    return undefined;
  }
}
