import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleModules, writeModules } from './build/bundle.ts';
import { makeOverlay } from './build/overlay.ts';

/** `npm run build`: pinectl as a server has it, and the overlay that is laid over a root. */
async function main(): Promise<void> {
  const project = resolve(import.meta.dirname, '..');
  const dist = join(project, 'dist');
  mkdirSync(dist, { recursive: true });
  const modules = await bundleModules(project);
  writeModules(dist, modules);
  const bytes = [...modules.values()].reduce((sum, { length }) => sum + length, 0);
  tell(join(dist, 'pinectl.mjs'), `and ${modules.size - 1} other files, ${bytes}`);
  const overlay = makeOverlay(project, modules);
  writeFileSync(join(dist, 'pine-overlay.tar.gz'), overlay, { mode: 0o644 });
  tell(join(dist, 'pine-overlay.tar.gz'), `${overlay.length}`);
}

function tell(path: string, what: string): void {
  process.stdout.write(`${path}  ${what} bytes\n`);
}

await main();
