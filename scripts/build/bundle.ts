import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { embedAssets } from './assets.ts';

const common = {
  entryPoints: ['src/cli/main.ts'],
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node22.15',
  charset: 'utf8',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'inline',
} as const satisfies BuildOptions;

/**
 * Bundles pinectl into ES modules for Node.js, by path: `pinectl.mjs`, and beside it in `parts/` what it loads with
 * `import()`. A command reads and compiles its own part only, which is what makes a start quick.
 */
export async function bundleModules(project: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    ...common,
    absWorkingDir: project,
    plugins: [embedAssets(project)],
    format: 'esm',
    splitting: true,
    outdir: '.',
    entryNames: 'pinectl',
    chunkNames: 'parts/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    // CommonJS packages inside of an ES module still ask for Node's own modules with require().
    banner: {
      js: "import{createRequire as pineCreateRequire}from'node:module';const require=pineCreateRequire(import.meta.url);",
    },
  });
  const files = outputFiles.map(
    ({ path, contents }) => [relative(project, path), contents] as const,
  );
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Bundles pinectl into one CommonJS script, for a single executable: those know no ES modules, nor import(). */
export async function bundleScript(project: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    ...common,
    absWorkingDir: project,
    plugins: [embedAssets(project)],
    format: 'cjs',
    supported: { 'dynamic-import': false },
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild gave no output');
  return file.contents;
}

/** Writes modules below a folder. */
export function writeModules(folder: string, modules: ReadonlyMap<string, Uint8Array>): void {
  rmSync(join(folder, 'parts'), { recursive: true, force: true });
  mkdirSync(join(folder, 'parts'), { recursive: true });
  for (const [path, bytes] of modules)
    writeFileSync(join(folder, path), bytes, { mode: modeOf(path) });
}

/** Only the entry is a program. */
export function modeOf(path: string): number {
  return path.includes('/') ? 0o644 : 0o755;
}
