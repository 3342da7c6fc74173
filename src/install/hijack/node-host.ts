import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Host } from './host.ts';

const largestText = 1 << 20;

/** The Host port over the system that pinectl runs on. */
export const nodeHost: Host = {
  async readText(path, limit = largestText) {
    const handle = await open(path, 'r').catch(() => undefined);
    if (handle === undefined) return undefined;
    try {
      // Files of /proc and /sys say that they are empty: read up to the end, or the limit.
      const pieces: Buffer[] = [];
      let size = 0;
      for await (const piece of handle.createReadStream({ end: limit, autoClose: false })) {
        pieces.push(piece);
        size += piece.length;
      }
      return size > limit ? undefined : Buffer.concat(pieces).toString('utf8');
    } catch {
      return undefined; // a folder, or a file of /sys that answers with an error
    } finally {
      await handle.close();
    }
  },

  list: async (path) => (await readdir(path).catch(() => [])).sort(),
  exists: (path) =>
    lstat(path).then(
      () => true,
      () => false,
    ),
  resolve: (path) => realpath(path).catch(() => undefined),

  async readBytes(path, position, length) {
    const handle = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  },

  async report(program, args, seconds = 60) {
    const { execa } = await import('execa');
    const { failed, stdout } = await execa(program, args, {
      reject: false,
      stdin: 'ignore',
      timeout: seconds * 1000,
      maxBuffer: 8 << 20,
      // Debian keeps some of these programs out of a user's PATH.
      env: { LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin` },
    });
    return failed ? undefined : stdout;
  },

  userId: process.getuid?.() ?? -1,
  invokingUser: process.env.SUDO_USER ?? userName(),
  processor: process.arch,
};

/** A container may have no entry for whoever runs this. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'nobody');
  }
}
