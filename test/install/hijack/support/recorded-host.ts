import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../../../../src/install/hijack/host.ts';
import { nodeHost } from '../../../../src/install/hijack/node-host.ts';

const fixtures = new URL('../fixtures/', import.meta.url).pathname;

/** What is different from what was recorded. `undefined` takes a file or a program away. */
export interface Changes {
  readonly files?: Readonly<Record<string, string | Buffer | undefined>>;
  /** By the command line, as `lsblk -J …`, or by the program alone. */
  readonly commands?: Readonly<Record<string, string | undefined>>;
  readonly userId?: number;
  readonly invokingUser?: string;
  readonly processor?: string;
}

/**
 * A machine that was recorded: a folder of fixtures/ with files at their places, and in `commands/`
 * what each program printed, in a file that is called as the command line, with `|` for `/`.
 */
export function recordedHost(name: string, changes: Changes = {}): Host {
  const root = join(fixtures, name);
  const { files = {}, commands = {}, ...rest } = changes;
  const changed = (path: string) => path in files;
  return {
    readText: async (path, limit) =>
      changed(path) ? files[path]?.toString() : nodeHost.readText(join(root, path), limit),
    list: async (path) => {
      const added = Object.keys(files).filter((one) => one.startsWith(`${path}/`));
      const names = added.map((one) => one.slice(path.length + 1).split('/')[0] ?? '');
      return [...new Set([...(await nodeHost.list(join(root, path))), ...names])].sort();
    },
    exists: async (path) =>
      changed(path) ? files[path] !== undefined : nodeHost.exists(join(root, path)),
    resolve: (path) =>
      realpath(join(root, path)).then(
        (found) => found.slice(root.length),
        () => undefined,
      ),
    readBytes: async (path, position, length) =>
      changed(path)
        ? Buffer.from(files[path] ?? '').subarray(position, position + length)
        : nodeHost.readBytes(join(root, path), position, length),
    report: async (program, args) => {
      const line = [program, ...args].join(' ');
      for (const key of [line, program]) if (key in commands) return commands[key];
      const path = join(root, 'commands', line.replaceAll('/', '|'));
      return readFile(path, 'utf8').catch(() => undefined);
    },
    ...{ userId: 0, invokingUser: 'root', processor: 'x64' },
    ...rest,
  };
}
