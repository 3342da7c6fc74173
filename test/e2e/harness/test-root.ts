import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { buildRoot, type RootOptions } from '../../../scripts/root/build-root.ts';
import { projectFolder, sharedAlpine } from '../../../scripts/root/programs.ts';
import { configureQemuNetwork } from '../../../scripts/root/server.ts';
import { hasKvm } from './kvm.ts';

/** The smallest disk that pine ships a layout for (vm-small.cfg), in bytes. */
export const diskSize = '1000000000';

/** Whether real Alpine archives lie beside the project; otherwise they come from Alpine's mirror. */
export const hasSharedAlpine = existsSync(sharedAlpine);

const mirror = process.env.ALPINE_MIRROR ?? 'https://dl-cdn.alpinelinux.org/alpine';
const overlay = join(projectFolder, 'dist/pine-overlay.tar.gz');

/** How the two states of the server are made here, and whose kernel they have. */
export function serverRoot(version: 'v1' | 'v2'): RootOptions {
  if (hasSharedAlpine) return { base: version, kernel: 'cloud', node: 'npm', overlay };
  const branch = version === 'v1' ? 'v3.22' : 'v3.23';
  return { base: { url: mirror, branch }, kernel: 'alpine', node: 'alpine', overlay };
}

/** What to say about the kernel of the machines. */
export const kernelNote = hasSharedAlpine
  ? "with Debian's kernel and Node.js from npm: Alpine's own kernel is not booted"
  : "with Alpine's own kernel (linux-virt) and Node.js";

/**
 * The services that a machine of the tests needs. The others no test is about, and each costs seconds under emulation:
 * udev, which nothing here asks for, five; and OpenRC reads every script at each boot.
 */
const services = [
  ...[
    'bootmisc',
    'devfs',
    'fsck',
    'functions.sh',
    'hostname',
    'killprocs',
    'localmount',
    'modules',
  ],
  ...['mount-ro', 'mtab', 'networking', 'pine-boot-complete', 'pine-finalize-staged', 'procfs'],
  ...['root', 'sshd', 'swap', 'sysctl', 'sysfs'],
];
/** One that an administrator enables, and what it needs; one that a take-over does. They are there, and no runlevel has them. */
const enabledLater = ['syslog', 'hwclock', 'osclock', 'swclock', 'pine-first-login'];

/**
 * Builds the root of a server, and lets a test in: a shell on the second serial port, QEMU's
 * network, the key that signs, and what to follow (a machine that was started sets the remote).
 */
export async function buildTestRoot(
  root: string,
  options: RootOptions,
  publicKey: string,
): Promise<void> {
  await buildRoot(root, options);
  configureQemuNetwork(root);
  copyFileSync(
    join(import.meta.dirname, '../root/control.sh'),
    join(root, 'usr/sbin/pine-control'),
  );
  appendFileSync(join(root, 'etc/inittab'), '\nttyS1::respawn:/bin/sh /usr/sbin/pine-control\n');
  mkdirSync(join(root, 'etc/pine/keys'), { recursive: true });
  copyFileSync(publicKey, join(root, 'etc/pine/keys/test.pub'));
  writeFileSync(
    join(root, 'etc/pine/pinectl.toml'),
    [
      'remote = "http://10.0.2.2/"',
      'ref = "alpine/x86_64/server"',
      '[health]',
      'required = ["default-route", "sshd"]',
      'wanted = ["remote"]', // nobody listens there, unless a test says so
      'timeouts = { remote = 1 }',
      '',
    ].join('\n'),
  );
  for (const event of ['after-confirmation', 'after-rollback']) {
    const text = '#!/bin/sh\necho "$PINE_EVENT $PINE_SLOT" >>/var/hooks.log\n';
    putFile(root, `usr/lib/pine/hooks.d/${event}/50-test`, text, 0o755);
  }
  const keep = (pattern: string, names: readonly string[]): void => {
    for (const path of globSync(pattern, { cwd: root })) {
      if (!names.includes(basename(path))) rmSync(join(root, path), { force: true });
    }
  };
  keep('etc/init.d/*', [...services, ...enabledLater]);
  keep('etc/runlevels/*/*', services);
  // The network's driver is loaded by name.
  appendFileSync(join(root, 'etc/modules'), 'virtio_net\n');
  if (!hasKvm()) interpretOnly(root);
  // One small host key instead of three: an RSA key costs many seconds under emulation.
  const sshd = join(root, 'etc/conf.d/sshd');
  if (existsSync(sshd)) appendFileSync(sshd, '\nkey_types_to_generate="ed25519"\n');
}

/**
 * Lets Node.js interpret only, but for an upgrade: what it compiles is translated once more by an emulator, which then
 * finds each page that it writes code to changed. A first record of /etc took 46 s with its compilers and 16 s without.
 */
function interpretOnly(root: string): void {
  renameSync(join(root, 'usr/bin/node'), join(root, 'usr/bin/node-compiling'));
  const text = [
    '#!/bin/sh',
    'case " $* " in *" upgrade "*) ;; *) set -- --no-opt --no-maglev --no-sparkplug "$@" ;; esac',
    'exec /usr/bin/node-compiling "$@"',
    '',
  ].join('\n');
  putFile(root, 'usr/bin/node', text, 0o755);
}

/** Replaces a file of a root, or makes one. A link is replaced, not followed. */
export function putFile(root: string, path: string, text: string, mode = 0o644): void {
  rmSync(join(root, path), { force: true });
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text, { mode });
}

/** What v2 ships under /etc that v1 does not: a line of a file that administrators edit, and an account. */
export function changeDefaults(root: string): void {
  const path = join(root, 'etc/ssh/sshd_config');
  const text = readFileSync(path, 'utf8');
  const changed = text.replace(/^#ClientAliveInterval 0$/m, 'ClientAliveInterval 300');
  if (changed === text) throw new Error(`${path} has no line #ClientAliveInterval 0`);
  writeFileSync(path, changed);
  appendFileSync(join(root, 'etc/passwd'), 'metrics:x:321:321:metrics:/var/empty:/sbin/nologin\n');
  appendFileSync(join(root, 'etc/group'), 'metrics:x:321:\n');
  appendFileSync(join(root, 'etc/shadow'), 'metrics:!:20000:0:99999:7:::\n');
}

/** Ways in which a new root can be bad. Each changes a good one. */
export const breakages = {
  /** (a) What should be init is nothing that a kernel can run: it panics. */
  panic: (root: string) => putFile(root, 'sbin/init', 'this is no program\n', 0o755),
  /** (c) It boots, and a health check fails. */
  unhealthy: (root: string) =>
    putFile(
      root,
      'usr/lib/pine/health.d/50-web',
      '#!/bin/sh\necho the web server is gone\nexit 3\n',
      0o755,
    ),
  /** Its network does not come up: nothing loads the driver of its card. */
  'no-network': (root: string) => putFile(root, 'etc/modules', ''),
  /** (d) It hangs in early userspace, and nothing else of it lives: no deadline either. */
  dead: (root: string) =>
    putFile(
      root,
      'sbin/init',
      '#!/bin/sh\necho "test: everything is killed" >/dev/console\nkill -9 -1\nwhile :; do sleep 1000; done\n',
      0o755,
    ),
  /** (f) It hangs in early userspace. */
  hang: (root: string) =>
    putFile(
      root,
      'sbin/init',
      '#!/bin/sh\necho "test: init hangs" >/dev/console\nwhile :; do sleep 1000; done\n',
      0o755,
    ),
  /** Its kernel has no driver for the network card. */
  driverless: (root: string) => {
    for (const path of globSync('lib/modules/*/**/virtio_net.ko*', { cwd: root }))
      rmSync(join(root, path));
    for (const version of readdirSync(join(root, 'lib/modules')))
      execFileSync('/sbin/depmod', ['-b', root, version]);
  },
} as const;
