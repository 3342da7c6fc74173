import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { printVariant } from '../../../src/repo/gvariant/print.ts';
import type { Variant } from '../../../src/repo/gvariant/variant.ts';

/** Runs the stock `ostree` on a repository; throws with what it said when it fails. */
export function ostree(repository: string, command: string, ...args: string[]): string {
  return execFileSync('ostree', [`--repo=${repository}`, command, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, TZ: 'UTC' },
  });
}

/** A fresh archive made by the stock tool. */
export function stockRepository(folder: string, name: string): string {
  const path = join(folder, name);
  ostree(path, 'init', '--mode=archive');
  return path;
}

/** A metadata entry as an argument of `ostree commit`. */
export function metadataArgument(key: string, value: Variant): string {
  return `--add-metadata=${key}=${printVariant(value)}`;
}
