import { parseLayout } from '../disk/layout.ts';
import type { Wish } from '../install/hijack/inspect.ts';
import type { WantedCommit } from '../install/hijack/wanted-commit.ts';
import { keyFileLimit, parsePublicKey } from '../trust/key-file.ts';
import type { PublicKey } from '../trust/keys.ts';
import { usage } from './hijack-usage.ts';
import { readText } from './input-file.ts';

/** The options of `hijack` that say what a machine is to become. */
export interface WishOptions {
  readonly remote?: string;
  readonly ref?: string;
  readonly key?: readonly string[];
  readonly layout?: string;
  readonly disk?: string;
  readonly kexec?: boolean;
}

const largestLayout = 64 * 1024;

/** Reads the files that the options name. Throws NOT_FOUND_FILE, USAGE_COMMAND_LINE, and as their parsers do. */
export async function readWish(options: WishOptions): Promise<Wish> {
  const layouts = await readLayouts(options.layout);
  const commit = await readWantedCommit(options);
  return { commit, layouts, disk: options.disk, kexec: options.kexec === true };
}

async function readLayouts(path: string | undefined) {
  if (path !== undefined) return [parseLayout(await readText(path, largestLayout), path)];
  const { readAsset } = await import('../asset.ts');
  return [
    parseLayout(readAsset('layouts/vm.cfg'), 'vm.cfg'),
    parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg'),
  ];
}

/** Nothing when none is named. */
async function readWantedCommit(options: WishOptions): Promise<WantedCommit | undefined> {
  const { remote, ref, key: paths = [] } = options;
  if (remote === undefined && ref === undefined && paths.length === 0) return undefined;
  if (remote === undefined || ref === undefined || paths.length === 0) {
    throw usage('--remote URL --ref REF --key FILE, all three or none', 'some of them');
  }
  const keys: PublicKey[] = [];
  const keyTexts: string[] = [];
  for (const path of paths) {
    const text = await readText(path, keyFileLimit, 'a .pub file');
    keys.push(parsePublicKey(text, path));
    keyTexts.push(text);
  }
  return { remote, ref, keys, keyTexts };
}
