import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, hasProgram, projectFolder, run } from '../root/programs.ts';
import { runBooted } from './booted.ts';
import { Narrator } from './narrator.ts';
import { runNotBooted } from './not-booted.ts';
import { buildRelease } from './release.ts';

const folder = mkdtempSync(join(tmpdir(), 'pine-demo-'));
const remove = () => rmSync(folder, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.once('exit', remove);

const narrator = new Narrator();
const qemu = hasProgram('qemu-system-x86_64') && process.env.PINE_DEMO_NO_BOOT === undefined;
console.log(`pine's demo: a server upgrades itself, and comes back from an upgrade that fails.
Working in ${folder}, downloads are kept in ${cacheFolder}.
${qemu ? '' : 'There is no QEMU: no machine will be booted. The demo ends at the boot choice.\n'}`);
try {
  if (!existsSync(join(projectFolder, 'dist/pine-overlay.tar.gz'))) {
    await narrator.step('put pinectl into one file: npm run build', () =>
      run('npm', ['run', '--silent', 'build'], projectFolder),
    );
  }
  const release = await buildRelease(folder, narrator);
  if (qemu) {
    await runBooted(release, narrator);
    narrator.end('The machine runs v2: it upgraded from v1, tried v3, and came back by itself.');
  } else {
    await runNotBooted(release, folder, narrator);
    narrator.end('No machine was booted. The boot choice would start v2; v3 is held.');
  }
} catch (error) {
  console.error(`The demo failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
