import { type BuildOptions, build } from 'esbuild';
import { embedAssets } from './assets.ts';

/** What sets the two kinds of module apart. */
const formats = {
  /** A file of its own, `pinectl.mjs`. */
  esm: {
    format: 'esm',
    // CommonJS packages inside of an ES module still ask for Node's own modules with require().
    banner: {
      js: "import{createRequire as pineCreateRequire}from'node:module';const require=pineCreateRequire(import.meta.url);",
    },
  },
  /** The script of a single executable, which knows neither ES modules nor, with a code cache, import(). */
  cjs: { format: 'cjs', supported: { 'dynamic-import': false } },
} as const satisfies Record<string, BuildOptions>;

/**
 * Bundles pinectl into one module for Node.js, and returns it. What is imported with `import()`
 * stays lazy: its code is in the file, but runs when it is first asked for.
 */
export async function bundlePinectl(
  project: string,
  kind: keyof typeof formats = 'esm',
): Promise<Uint8Array> {
  const result = await build({
    absWorkingDir: project,
    entryPoints: ['src/cli/main.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22.15',
    charset: 'utf8',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'inline',
    plugins: [embedAssets(project)],
    ...formats[kind],
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild gave no output');
  return file.contents;
}
