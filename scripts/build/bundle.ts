import { build } from 'esbuild';
import { embedAssets } from './assets.ts';

/**
 * Bundles pinectl into one ES module for Node.js, and returns it. What is imported with `import()`
 * stays lazy: its code is in the file, but runs when it is first asked for.
 */
export async function bundlePinectl(project: string): Promise<Uint8Array> {
  const result = await build({
    absWorkingDir: project,
    entryPoints: ['src/cli/main.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node22.15',
    charset: 'utf8',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'inline',
    plugins: [embedAssets(project)],
    // CommonJS packages inside of an ES module still ask for Node's own modules with require().
    banner: {
      js: "import{createRequire as pineCreateRequire}from'node:module';const require=pineCreateRequire(import.meta.url);",
    },
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild gave no output');
  return file.contents;
}
