import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundleScript } from './bundle.ts';

/** What Node.js looks for in itself when it starts; postject flips the digit behind it. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** As overlay/usr/bin/pinectl starts Node.js: for servers with little memory. NODE_OPTIONS adds nothing. */
const nodeArguments = [
  '--max-old-space-size=32',
  '--max-semi-space-size=1',
  '--v8-pool-size=0',
  '--no-concurrent-recompilation',
];

/**
 * Makes `output`: this Node.js without its symbols, with pinectl inside, as one executable.
 * Source: Node.js 24, "Single executable applications".
 */
export async function makeSingle(project: string, output: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pine-single-'));
  const at = (name: string) => join(folder, name);
  try {
    writeFileSync(at('pinectl.cjs'), await bundleScript(project));
    writeFileSync(
      at('sea.json'),
      JSON.stringify({
        main: at('pinectl.cjs'),
        output: at('pinectl.blob'),
        disableExperimentalSEAWarning: true,
        // Compiled once, here: less to do at each start.
        useCodeCache: true,
        execArgv: nodeArguments,
        execArgvExtension: 'none',
      }),
    );
    // With the same arguments, as V8 takes no code cache that was made with others.
    execFileSync(
      process.execPath,
      [...nodeArguments, '--experimental-sea-config', at('sea.json')],
      {
        stdio: 'pipe',
      },
    );
    copyFileSync(process.execPath, at('pinectl'));
    chmodSync(at('pinectl'), 0o755);
    execFileSync('strip', [at('pinectl')], { stdio: ['ignore', 'ignore', 'inherit'] });
    inject(at('pinectl'), at('pinectl.blob'));
    copyFileSync(at('pinectl'), `${output}.new`);
    renameSync(`${output}.new`, output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Adds the blob to the executable as an ELF note. What postject says matters only when it fails. */
function inject(executable: string, blob: string): void {
  const postject = join(dirname(createRequire(import.meta.url).resolve('postject')), 'cli.js');
  execFileSync(
    process.execPath,
    [postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse],
    { stdio: 'pipe' },
  );
}
