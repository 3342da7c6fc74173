import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Puts the text files that ship with pine into a bundle: replaces src/asset.ts by a module that holds
 * those that the sources name in a call of readAsset. A call without a literal path is an error.
 */
export function embedAssets(project: string): Plugin {
  return {
    name: 'embed-assets',
    setup(build) {
      build.onLoad({ filter: /[/\\]src[/\\]asset\.ts$/ }, () => {
        const texts = Object.fromEntries(
          assetNames(join(project, 'src')).map((name) => [
            name,
            readFileSync(join(project, name), 'utf8'),
          ]),
        );
        return {
          loader: 'ts',
          contents: `const texts: Record<string, string> = ${JSON.stringify(texts)};
            export function readAsset(path: string): string {
              const text = texts[path];
              if (text === undefined) throw new Error(\`not in this bundle: \${path}\`);
              return text;
            }`,
        };
      });
    },
  };
}

/** Every path that a file below `folder` reads with readAsset, sorted. */
export function assetNames(folder: string): string[] {
  const names = new Set<string>();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file === 'asset.ts') continue;
    const source = readFileSync(join(folder, file), 'utf8');
    for (const [call, name] of source.matchAll(/\breadAsset\((?:'([^']+)')?/g)) {
      if (name === undefined) throw new Error(`${file}: ${call}…) needs a literal path`);
      names.add(name);
    }
  }
  return [...names].sort();
}
