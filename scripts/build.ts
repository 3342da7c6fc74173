import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundlePinectl } from './build/bundle.ts';
import { makeOverlay } from './build/overlay.ts';

/** `npm run build`: pinectl as one file, and the overlay that is laid over a root. */
async function main(): Promise<void> {
  const project = resolve(import.meta.dirname, '..');
  const dist = join(project, 'dist');
  mkdirSync(dist, { recursive: true });
  const pinectl = await bundlePinectl(project);
  write(join(dist, 'pinectl.mjs'), pinectl, 0o755);
  write(join(dist, 'pine-overlay.tar.gz'), makeOverlay(project, pinectl), 0o644);
}

function write(path: string, bytes: Uint8Array, mode: number): void {
  writeFileSync(path, bytes, { mode });
  process.stdout.write(`${path}  ${bytes.length} bytes\n`);
}

await main();
