import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
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

/** CommonJS packages inside of an ES module still ask for Node's own modules with require(). */
const banner = {
  js: "import{createRequire as pineCreateRequire}from'node:module';const require=pineCreateRequire(import.meta.url);",
};

/**
 * Bundles pinectl into ES modules for Node.js, by path: `pinectl.mjs`, and beside it in `parts/` what it loads with
 * `import()`. A command reads and compiles its own part only, which is what makes a start quick. `quick.mjs` has the
 * commands that only look, in one.
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
    banner,
  });
  const files = outputFiles.map(
    ({ path, contents }) => [relative(project, path), contents] as const,
  );
  files.push(['quick.mjs', await bundleQuick(project)]);
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is started often and only looks. */
export const quickCommands = ['status', 'history'];

/**
 * Bundles those commands once more, into one module with all that they need: each of some 50 parts that `status` would
 * read costs Node.js a third of a millisecond. The other commands are left out, or all of it would be compiled.
 */
async function bundleQuick(project: string): Promise<Uint8Array> {
  const wanted = quickCommands.map((name) => `./${name}.ts`);
  const leaveOut: Plugin = {
    name: 'leave-out',
    setup(bundle) {
      bundle.onResolve({ filter: /^\.\// }, ({ path, kind, importer }) => {
        const isCommand = kind === 'dynamic-import' && importer.endsWith('/src/cli/program.ts');
        return isCommand && !wanted.includes(path) ? { path, namespace: 'left-out' } : undefined;
      });
      bundle.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({
        contents: "export function define(){throw new Error('not in this bundle')}",
      }));
    },
  };
  const { outputFiles } = await build({
    ...common,
    absWorkingDir: project,
    plugins: [embedAssets(project), leaveOut],
    format: 'esm',
    banner,
  });
  return onlyFile(outputFiles);
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
  return onlyFile(outputFiles);
}

function onlyFile([file]: readonly { readonly contents: Uint8Array }[]): Uint8Array {
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
