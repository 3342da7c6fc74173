import { PineError } from '../../error.ts';

/**
 * GRUB environment blocks: `NAME=VALUE` lines behind a fixed first line, filled up with `#` to a
 * size that never changes. Source: grub-core/lib/envblk.c of GRUB 2.06 (format described, not copied).
 */
const signature = '# GRUB Environment Block\n';

/**
 * Reads an environment block strictly: `undefined` when anything is in it that `encodeEnvironmentBlock`
 * or GRUB's own `save_env` would not have written.
 */
export function decodeEnvironmentBlock(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  if (!text.startsWith(signature)) return undefined;
  const variables = new Map<string, string>();
  const line = /([A-Za-z_][A-Za-z0-9_]*)=((?:[^\\\n]|\\[\\\n])*)\n/y;
  line.lastIndex = signature.length;
  let end = line.lastIndex;
  for (let match = line.exec(text); match !== null; match = line.exec(text)) {
    const [, name = '', value = ''] = match;
    if (variables.has(name)) return undefined;
    variables.set(name, Buffer.from(value.replace(/\\(.)/gs, '$1'), 'latin1').toString('utf8'));
    end = line.lastIndex;
  }
  return /^#*$/.test(text.slice(end)) ? variables : undefined;
}

/** Writes an environment block of exactly `size` bytes. Throws SPACE_ENVIRONMENT_BLOCK when they are too few. */
export function encodeEnvironmentBlock(
  variables: Iterable<readonly [string, string]>,
  size: number,
): Buffer {
  const lines = [...variables].map(
    ([name, value]) => `${name}=${value.replace(/[\\\n]/g, '\\$&')}\n`,
  );
  const text = Buffer.from(signature + lines.join(''));
  if (text.length > size) {
    throw new PineError('SPACE_ENVIRONMENT_BLOCK', 'the values do not fit the environment block', {
      expected: `at most ${size} bytes`,
      found: `${text.length} bytes`,
      where: lines.map((line) => line.slice(0, line.indexOf('='))).join(', '),
      remedy: 'shorten the kernel arguments',
    });
  }
  return Buffer.concat([text, Buffer.alloc(size - text.length, '#')]);
}
