import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { alpineFolder, missing } from '../support/requirements.ts';
import { Pinectl } from './support/pinectl.ts';

const folder = temporaryFolder();
const layoutFolder = new URL('../../layouts', import.meta.url).pathname;
const pinectl = new Pinectl(join(folder, 'repo'), folder);
const version = '6.1.0-test';
const modules = join('lib/modules', version);
/** Names of functions that each module has, and that it calls. */
const sources = {
  'kernel/fs/jbd2/jbd2': ['jbd_start', ''],
  'kernel/fs/mbcache': ['mb_find', ''],
  'kernel/fs/ext4/ext4': ['ext4_sync', 'jbd_start mb_find'],
  'kernel/crypto/crc32c_generic': ['crc', ''],
  'kernel/crypto/crc32c-intel': ['crc_fast', 'crc'],
  'extra/e': ['e', 'ext4_sync crc_fast'],
} as const;
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] }).toString();

/** Commits a root with --expand-compressed, and gives the folder that it is checked out to. */
function expand(root: string): string {
  pinectl.run('commit', '--ref', root, '--no-image', '--expand-compressed', root);
  const out = `${root}-out`;
  rmSync(join(folder, out), { recursive: true, force: true });
  pinectl.run('checkout', '--user-mode', root, out);
  return join(folder, out);
}

beforeAll(() => {
  pinectl.run('init');
});

describe.skipIf(missing('kmod', 'xz') !== undefined)('modules, by kmod', () => {
  const plain = join(folder, 'plain');
  const file = (root: string, name: string): string => join(root, modules, name);
  const lists = ['modules.dep', 'modules.dep.bin', 'modules.order'];
  const dependencies = (root: string, name: string): string =>
    run('modprobe', '-d', root, '-S', version, '--show-depends', name).replaceAll(root, '');

  beforeAll(() => {
    for (const [name, [has, calls]] of Object.entries(sources)) {
      const path = file(plain, `${name}.ko`);
      mkdirSync(dirname(path), { recursive: true });
      const needed = calls.split(' ').filter((call) => call !== '');
      const lines = [
        '.section .modinfo,"a"\n.asciz "license=GPL"',
        `.section __ksymtab_strings,"aMS",@progbits,1\n.asciz "${has}"`,
        `.text\n.globl ${has}\n${has}: ret\n${needed.map((call) => `call ${call}\n`).join('')}`,
      ];
      writeFileSync(join(folder, 'source.s'), lines.join('\n'));
      run('as', '-o', path, 'source.s');
    }
    const order = Object.keys(sources).map((name) => `${name}.ko\n`);
    writeFileSync(file(plain, 'modules.order'), order.join(''));
    writeFileSync(file(plain, 'modules.builtin'), '');
    run('depmod', '-b', plain, version);
  });

  /** The same root with packed modules, and the lists that a distribution makes of them. */
  function packed(ending: string, pack: (path: string) => Buffer): string {
    const root = join(folder, ending);
    cpSync(plain, root, { recursive: true });
    for (const name of globSync('**/*.ko', { cwd: join(root, modules) })) {
      const path = file(root, name);
      writeFileSync(`${path}.${ending}`, pack(path));
      rmSync(path);
    }
    return root;
  }

  test.each([
    ['xz', (path: string) => execFileSync('xz', ['-c', path])],
    ['zst', (path: string) => zstdCompressSync(readFileSync(path))],
  ] as const)(
    'lists that depmod made for .ko.%s become those for .ko, byte by byte',
    (ending, pack) => {
      const root = packed(ending, pack);
      run('depmod', '-b', root, version);
      expect(readFileSync(file(root, 'modules.dep'), 'utf8')).toContain(`e.ko.${ending}: `);
      const out = expand(ending);
      for (const name of lists) {
        expect(readFileSync(file(out, name)).equals(readFileSync(file(plain, name))), name).toBe(
          true,
        );
      }
      expect(dependencies(out, 'e')).toBe(dependencies(plain, 'e'));
      expect(dependencies(out, 'e').trim().split('\n')).toHaveLength(6);
    },
  );

  test('modprobe of kmod and of busybox find what was .ko.gz, as Alpine has it', () => {
    const root = packed('gz', (path) => gzipSync(readFileSync(path)));
    for (const name of ['modules.dep', 'modules.order']) {
      const path = file(root, name);
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll('.ko', '.ko.gz'));
    }
    const out = expand('gz');
    for (const name of lists) {
      expect(readFileSync(file(out, name)).equals(readFileSync(file(plain, name))), name).toBe(
        true,
      );
    }
    expect(dependencies(out, 'e')).toBe(dependencies(plain, 'e'));
    if (missing('alpine', 'root') !== undefined) return;
    const archive = readdirSync(alpineFolder).find((name) => /minirootfs-3.*x86_64/.test(name));
    mkdirSync(join(folder, 'alpine'));
    run(
      'tar',
      '-xzf',
      join(alpineFolder, archive ?? ''),
      '-C',
      'alpine',
      './bin',
      './lib',
      './sbin',
    );
    // busybox takes the modules of the kernel that runs.
    mkdirSync(join(folder, 'alpine/lib/modules'), { recursive: true });
    renameSync(join(out, modules), join(folder, 'alpine/lib/modules', release()));
    const found = run('chroot', 'alpine', '/bin/busybox', 'modprobe', '-D', 'e');
    const paths = found.matchAll(/^insmod \S+\/([\w-]+\.ko)\s*$/gm);
    expect([...paths].map(([, name]) => name)).toEqual([
      ...['jbd2.ko', 'mbcache.ko', 'ext4.ko', 'crc32c_generic.ko', 'crc32c-intel.ko', 'e.ko'],
    ]);
  });
});

describe('commit --expand-compressed', () => {
  const tree = join(folder, 'tree');
  const manuals = join(tree, 'usr/share/man/man1');
  const page = (name: string): string => join(manuals, name);

  beforeAll(() => {
    mkdirSync(manuals, { recursive: true });
    writeFileSync(page('a.1.gz'), gzipSync('the first page'));
    writeFileSync(page('cut.1.gz'), gzipSync('a page').subarray(0, -3));
    chmodSync(page('a.1.gz'), 0o640);
  });

  test('says what it did, and what stays packed', () => {
    const notes = pinectl.notes('commit', '--ref', 'x', '--expand-compressed', tree);
    expect(notes).toContain('Expanded: 1 files and 0 links to them, 34 B became 14 B\n');
    expect(notes).toMatch(
      /^\/usr\/share\/man\/man1\/cut\.1\.gz stays packed: it can't be unpacked/m,
    );
    const { expanded } = pinectl.json('commit', '--ref', 'y', '--expand-compressed', tree);
    expect(expanded).toMatchObject({
      files: 1,
      links: 0,
      bytesBefore: 34,
      bytesAfter: 14,
      kept: [{ path: '/usr/share/man/man1/cut.1.gz' }],
    });
    expect(pinectl.json('commit', '--ref', 'z', tree).expanded).toBeUndefined();
    expect(pinectl.run('ls', 'x', '/usr/share/man/man1/a.1')).toMatch(/^-00640 /);
    expect(pinectl.run('cat', 'x', '/usr/share/man/man1/a.1')).toBe('the first page');
    expect(readdirSync(manuals).sort()).toEqual(['a.1.gz', 'cut.1.gz']);
  });

  test('comes after the filter, and the same source is the same tree', () => {
    writeFileSync(join(folder, 'rules'), 'drop *.gz\n');
    const filtered = ['--expand-compressed', '--filter', 'rules', tree];
    expect(pinectl.json('commit', '--ref', 'filtered', ...filtered).expanded.files).toBe(0);
    const again = pinectl.json(
      ...['commit', '--ref', 'x', '--expand-compressed', '--skip-if-unchanged', tree],
    );
    expect(again).toMatchObject({ unchanged: true, expanded: { files: 1 } });
    const tar = join(folder, 'tree.tar');
    run('tar', '-C', tree, '--numeric-owner', '-cf', tar, '.');
    const fromTar = ['--tree', `tar=${tar}`, '--skip-if-unchanged', '--expand-compressed'];
    expect(pinectl.json('commit', '--ref', 'x', ...fromTar).unchanged).toBe(true);
  });

  test('--layout counts the image as it becomes', () => {
    const large = join(folder, 'large');
    const path = join(large, 'usr/share/doc/a/changelog.gz');
    mkdirSync(dirname(path), { recursive: true });
    const lines = Array.from({ length: 1 << 18 }, (_, number) => `a change, the ${number}th\n`);
    writeFileSync(path, gzipSync(lines.join('')));
    const layout = readFileSync(join(layoutFolder, 'vm.cfg'), 'utf8');
    writeFileSync(join(folder, 'small.cfg'), layout.replaceAll('size=512MiB', 'size=4MiB'));
    const commit = ['commit', '--ref', 'large', '--layout', 'small.cfg', large];
    expect(pinectl.json(...commit).image.size).toBeLessThan(2_000_000);
    expect(pinectl.fail(...commit, '--expand-compressed')).toBe('SPACE_SLOT');
  });
});
