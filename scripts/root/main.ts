import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildRoot } from './build-root.ts';
import { projectFolder, run } from './programs.ts';

const usage = `Usage: scripts/make-alpine-root [options] OUT
Builds the root of a small Alpine server with a kernel, Node.js and pine. Needs root (chroot).
  --from shared|mirror   archives beside the project, or Alpine's mirror (mirror)
  --version v1|v2        with shared: which of its two states (v1)
  --mirror URL           Alpine's mirror ($ALPINE_MIRROR, https://dl-cdn.alpinelinux.org/alpine)
  --branch v3.23         with a mirror: Alpine's release branch
  --keys DIR             with a mirror: further public keys that may sign its index
  --kernel alpine|cloud|standard|none   Alpine's linux-virt, or one of Debian's (alpine; cloud with shared)
  --node alpine|npm|none Alpine's Node.js, or that of the npm package (alpine; npm with shared)
  --compress-modules     gzip Debian's modules, as Alpine's are
  --overlay FILE|none    pine's overlay (dist/pine-overlay.tar.gz)`;

/** The command line of make-alpine-root. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: 'string', default: 'mirror' },
      version: { type: 'string', default: 'v1' },
      mirror: {
        type: 'string',
        default: process.env.ALPINE_MIRROR ?? 'https://dl-cdn.alpinelinux.org/alpine',
      },
      branch: { type: 'string', default: process.env.ALPINE_BRANCH ?? 'v3.23' },
      keys: { type: 'string' },
      kernel: { type: 'string' },
      node: { type: 'string' },
      'compress-modules': { type: 'boolean', default: false },
      overlay: { type: 'string', default: join(projectFolder, 'dist/pine-overlay.tar.gz') },
      help: { type: 'boolean', default: false },
    },
  });
  const [out, ...rest] = positionals;
  if (values.help || out === undefined || rest.length > 0) {
    process.stderr.write(`${usage}\n`);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const shared = values.from === 'shared';
  const kernel = oneOf('kernel', values.kernel ?? (shared ? 'cloud' : 'alpine'), [
    'alpine',
    'cloud',
    'standard',
    'none',
  ] as const);
  const node = oneOf('node', values.node ?? (shared ? 'npm' : 'alpine'), [
    'alpine',
    'npm',
    'none',
  ] as const);
  const mirror = {
    url: values.mirror.replace(/\/$/, ''),
    branch: values.branch,
    ...(values.keys === undefined ? {} : { extraKeys: values.keys }),
  };
  const root = resolve(out);
  await buildRoot(root, {
    base: shared ? oneOf('version', values.version, ['v1', 'v2'] as const) : mirror,
    kernel,
    node,
    compressModules: values['compress-modules'],
    ...(values.overlay === 'none' ? {} : { overlay: resolve(values.overlay) }),
  });
  const origin =
    kernel === 'alpine' ? "Alpine's linux-virt" : "Debian's; Alpine's own is not in it";
  if (kernel !== 'none') console.log(`kernel: ${origin}`);
  console.log(`${root}: ${(await run('du', ['-sh', root])).split('\t')[0]}`);
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((known) => known === value);
  if (found === undefined)
    throw new Error(`--${name}: expected ${allowed.join(', ')}, found ${value}`);
  return found;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`make-alpine-root: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
