import { PineError } from '../error.ts';

/** Where Debian and Alpine have each program that an installation calls. */
const packages: Readonly<Record<string, string>> = {
  sfdisk: 'fdisk (Debian), sfdisk (Alpine)',
  'mkfs.ext4': 'e2fsprogs (both)',
  debugfs: 'e2fsprogs (Debian), e2fsprogs-extra (Alpine)',
  'mkfs.vfat': 'dosfstools (both)',
  mmd: 'mtools (both)',
  mcopy: 'mtools (both)',
  mkswap: 'util-linux (Debian), util-linux-misc (Alpine)',
  'grub-mkimage': 'grub-common (Debian), grub (Alpine)',
};

/**
 * Runs a program to its end and returns what it printed, standard error included.
 *
 * Throws PROGRAM_MISSING, naming the package, or PROGRAM_FAILED with what it said last.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { execa } = await import('execa');
  const result = await execa(program, args, {
    input: options.input ?? '',
    reject: false,
    all: true,
    timeout: 600_000,
    // Debian keeps these programs out of a user's PATH.
    env: { ...options.env, LC_ALL: 'C', PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  const said = result.all ?? '';
  if (result.code === 'ENOENT') {
    throw new PineError('PROGRAM_MISSING', `the program ${program} is missing`, {
      expected: `${program} in PATH`,
      found: 'no such program',
      where: 'this machine',
      remedy: `install the package ${packages[program] ?? `with ${program}`}`,
    });
  }
  if (result.failed) {
    throw new PineError('PROGRAM_FAILED', `the program ${program} failed`, {
      expected: 'exit status 0',
      found: said.split('\n').slice(-3).join('; ') || (result.shortMessage ?? 'no message'),
      where: [program, ...args].join(' '),
      remedy: 'see what it says; nothing was put in place',
    });
  }
  return said;
}
