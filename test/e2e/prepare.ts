import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { missing } from '../support/requirements.ts';
import { buildRelease } from './harness/release.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with the repository and the disks, and why there is none. */
    e2e: { readonly folder: string | undefined; readonly skipped: string | undefined };
  }
}

/**
 * Builds, once for all tests, what a build host would: roots, signed commits in one repository, and
 * a disk image for each kind of machine. PINE_E2E_FOLDER keeps it for the next run.
 */
export default async function prepare(project: TestProject): Promise<() => void> {
  const skipped = missing('qemu', 'grub', 'disk', 'root');
  if (skipped !== undefined) {
    project.provide('e2e', { folder: undefined, skipped });
    return () => {};
  }
  const kept = process.env.PINE_E2E_FOLDER;
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'pine-e2e-'));
  project.provide('e2e', { folder, skipped: undefined });
  if (!existsSync(join(folder, 'ready'))) {
    mkdirSync(folder, { recursive: true });
    const started = Date.now();
    if (!existsSync('dist/pine-overlay.tar.gz')) execFileSync('npm', ['run', '--silent', 'build']);
    await buildRelease(folder);
    writeFileSync(join(folder, 'ready'), '');
    console.log(`e2e: roots, commits and disks in ${Math.round((Date.now() - started) / 1000)} s`);
  }
  return () => {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  };
}
