import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing } from '../support/requirements.ts';
import {
  attributesOf,
  contentOf,
  type MergeCase,
  readMergeCases,
  type Side,
} from './support/cases.ts';

/** What the real `ostree admin deploy` does with the same table. */
const reason = missing('ostree', 'root', 'xattr');

const cases = readMergeCases().filter(({ ostree }) => ostree !== undefined);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-ostree-'));
});
afterAll(() => {
  // ostree makes a deployment immutable.
  spawnSync('chattr', ['-R', '-f', '-i', folder], { stdio: 'ignore' });
  rmSync(folder, { recursive: true });
});

function put(path: string, side: Side | undefined): void {
  if (side === undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  const { link, folder: entries, fifo, xattrs } = typeof side === 'string' ? {} : side;
  if (link !== undefined) {
    symlinkSync(link, path);
    return;
  }
  const { mode, uid, gid } = attributesOf(side);
  if (fifo) {
    execFileSync('mkfifo', [path]);
    return;
  }
  if (entries === undefined) writeFileSync(path, contentOf(side));
  else {
    mkdirSync(path, { recursive: true });
    for (const [name, entry] of Object.entries(entries)) put(join(path, name), entry);
  }
  lchownSync(path, uid, gid);
  chmodSync(path, mode);
  for (const [name, value] of Object.entries(xattrs ?? {})) {
    execFileSync('setfattr', ['-n', name, '-v', value, path]);
  }
}

/** A tree as text, to compare two. */
function describeTree(path: string): string | undefined {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  const own = `${(status.mode & 0o177777).toString(8)} ${status.uid}:${status.gid}`;
  if (status.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  if (status.isFile()) {
    return `${own} ${readFileSync(path, 'base64')}`;
  }
  if (!status.isDirectory()) return own;
  const entries = readdirSync(path).sort();
  return `${own} {${entries.map((name) => `${name}: ${describeTree(join(path, name))}`).join(', ')}}`;
}

/** Deploys the old release, edits its /etc, deploys the new one. Returns the new deployment's /etc. */
function deploy(name: string, entries: readonly (readonly [string, MergeCase])[]): string {
  const root = join(folder, name);
  const sysroot = join(root, 'sysroot');
  mkdirSync(sysroot, { recursive: true });
  const ostree = (...args: string[]) => execFileSync('ostree', args, { stdio: 'pipe' });
  ostree('admin', 'init-fs', sysroot);
  ostree('admin', 'os-init', 'pine', `--sysroot=${sysroot}`);
  const release = (version: 'old' | 'new') => {
    const tree = join(root, version);
    const modules = join(tree, 'usr/lib/modules/6');
    mkdirSync(modules, { recursive: true });
    mkdirSync(join(tree, 'usr/etc'));
    writeFileSync(join(modules, 'vmlinuz'), 'kernel');
    writeFileSync(join(tree, 'usr/lib/os-release'), 'ID=pine\nPRETTY_NAME=pine\n');
    for (const [place, entry] of entries) put(join(tree, 'usr/etc', place), entry[version]);
    ostree(`--repo=${sysroot}/ostree/repo`, 'commit', '-b', 'web', `--tree=dir=${tree}`);
    ostree('admin', 'deploy', `--sysroot=${sysroot}`, '--os=pine', 'web');
    const commit = ostree(`--repo=${sysroot}/ostree/repo`, 'rev-parse', 'web').toString().trim();
    return join(sysroot, `ostree/deploy/pine/deploy/${commit}.0/etc`);
  };
  const old = release('old');
  for (const [place, entry] of entries) {
    rmSync(join(old, place), { recursive: true, force: true });
    put(join(old, place), entry.local);
  }
  return release('new');
}

/** The attributes that a case is about. */
function userXattrs(path: string, { name }: MergeCase): string {
  if (!name.includes('attribute')) return '';
  const text = execFileSync('getfattr', ['-d', '-m', '^user\\.', '--absolute-names', path]);
  return text.toString().split('\n').slice(1).join(' ');
}

/** Which of the sides a deployment has under a path, by what the same side looks like in a folder. */
function whatIsLeft(path: string, entry: MergeCase, scratch: string): string {
  const found = describeTree(path);
  if (found === undefined) return 'gone';
  for (const side of ['new', 'local'] as const) {
    const compared = join(folder, scratch, side);
    put(compared, entry[side]);
    const isSame = describeTree(compared) === found;
    if (isSame && userXattrs(compared, entry) === userXattrs(path, entry)) return side;
  }
  return 'other';
}

describe.skipIf(reason !== undefined)('ostree admin deploy', () => {
  const places = cases.map((entry, index) => [join(`case-${index}`, entry.path), entry] as const);
  const accepted = places.filter(([, entry]) => entry.ostree !== 'refused');

  it('leaves whole files, as the table says', () => {
    const etc = deploy('together', accepted);
    const found = accepted.map(([place, entry], index) => [
      entry.name,
      whatIsLeft(join(etc, place), entry, `scratch-${index}`),
    ]);
    expect(found).toEqual(accepted.map(([, entry]) => [entry.name, entry.ostree]));
  });

  for (const [place, entry] of places.filter(([, { ostree }]) => ostree === 'refused')) {
    it(`refuses to deploy at all: ${entry.name}`, () => {
      expect(() => deploy(place.replaceAll('/', '-'), [[place, entry]])).toThrow(/error:/);
    });
  }
});
