import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, run } from '../root/programs.ts';
import { CannotMeasure } from './measurement.ts';

/** Some 340 MB in 7,000 files, small ones for the most part, and one library of 130 MB. */
const packages = [
  ...['libllvm19', 'libicu72', 'vim-runtime', 'git', 'perl-base', 'perl-modules-5.36', 'tzdata'],
  ...['libpython3.11-minimal', 'libpython3.11-stdlib', 'python3.11-minimal', 'libssl3', 'openssl'],
  ...['coreutils', 'bash', 'libc6', 'openssh-client', 'openssh-server', 'curl'],
] as const;

/**
 * A tree put together from packages of Debian 12, unpacked once and kept in the cache folder. apt has
 * checked their signature chain. Throws CannotMeasure where apt has no such packages.
 */
export async function debianTree(): Promise<string> {
  const kept = join(cacheFolder, 'bench', 'debian-tree');
  if (existsSync(kept)) return kept;
  mkdirSync(dirname(kept), { recursive: true });
  const work = mkdtempSync(`${kept}.`);
  try {
    await run('apt-get', ['download', '-q', ...packages], work);
    for (const archive of globSync('*.deb', { cwd: work })) {
      await run('dpkg-deb', ['-x', archive, 'tree'], work);
    }
    renameSync(join(work, 'tree'), kept);
  } catch (error) {
    throw new CannotMeasure(`apt did not give the packages of Debian 12: ${String(error)}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return kept;
}
