import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  mostPaths,
  parseStateList,
  stateFolderOf,
  withPath,
} from '../../../src/deploy/kept/state-list.ts';
import { codeOf } from '../../support/code-of.ts';
import fc from '../../support/fast-check.ts';

const init = readFileSync('src/build/initramfs/init.sh', 'utf8');
const shipped = readFileSync('overlay/usr/lib/pine/state.list', 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-state-list-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the initramfs makes of a list, by its own functions in a shell. */
function inShell(text: string): { paths: string[]; folders: string[] } {
  const functions = ['add_areas', 'area_folder'].map((name) => {
    const found = new RegExp(`^${name}\\(\\) \\{(?: .*\\}$|[^]*?^\\})`, 'm').exec(init);
    if (found === null) throw new Error(`init.sh has no ${name}`);
    return found[0];
  });
  const list = join(folder, 'state.list');
  writeFileSync(list, text);
  const script = `say() { :; }\ndata=/data root=\n${functions.join('\n')}
areas=; add_areas '${list}'
for area in $areas; do echo "/$area $(area_folder "$area")"; done`;
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return {
    paths: lines.map((line) => line.split(' ')[0] ?? ''),
    folders: lines.map((line) => line.split(' ')[1] ?? ''),
  };
}

const odd = [
  ...['# a comment', '', '  /opt/tools   why: it has the tools', '\t/srv', '/opt', '/srv/www'],
  ...['/', '//', '/usr', '/usr/lib', '/usr/lib/site', '/usr/local', '/etc', '/etc/ssh', '/dev/shm'],
  ...[
    'var',
    '/a/../b',
    '/a/./b',
    '/a//b',
    '/a/',
    '/-a',
    '/a-',
    '/a-b',
    '/a/b',
    '/a b',
    '/ä',
    '/x*',
  ],
  ...[
    '/$(reboot)',
    '/`id`',
    "/'",
    '/"',
    '/a\\',
    '/datax',
    '/data',
    '/tmp/x',
    '/boot',
    '/usr/etc/x',
  ],
];

describe('state.list', () => {
  it('ships what is documented', () => {
    const { paths, passedOver } = parseStateList(shipped);
    expect(paths).toEqual(['/var', '/home', '/root', '/srv', '/opt', '/usr/local']);
    expect(passedOver).toEqual([]);
  });

  it('says why a line is passed over', () => {
    const { paths, passedOver } = parseStateList(odd.join('\n'));
    expect(paths).toEqual([
      '/opt/tools',
      '/srv',
      '/usr/lib/site',
      '/usr/local',
      '/a-b',
      '/a/b',
      '/datax',
    ]);
    const why = (text: string) => passedOver.find((line) => line.text === text)?.why;
    expect(why('/opt')).toBe('/opt/tools in it stays already');
    expect(why('/srv/www')).toBe('/srv stays already');
    expect(why('/usr/lib')).toContain('programs');
    expect(why('/etc/ssh')).toContain('mounts it');
    expect(why('var')).toContain('not an absolute path');
  });

  it('is read by the initramfs in the same way', () => {
    for (const text of [shipped, odd.join('\n'), '/no-newline-at-its-end', '']) {
      expect(inShell(text).paths).toEqual(parseStateList(text).paths);
    }
    const many = Array.from({ length: mostPaths + 20 }, (_, index) => `/many/${index}`).join('\n');
    expect(inShell(many).paths).toEqual(parseStateList(many).paths);
    expect(parseStateList(many).paths).toHaveLength(mostPaths);
  });

  it('is read in the same way whatever it holds', () => {
    const letters = [...'/ab.-_#* \t\\$'];
    const line = fc.string({ unit: fc.constantFrom(...letters), maxLength: 12 });
    const path = line.map((text) => `/${text}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(line, path), { maxLength: 12 }), (lines) => {
        const text = lines.join('\n');
        const { paths } = parseStateList(text);
        const shell = inShell(text);
        expect(shell.paths).toEqual(paths);
        expect(shell.folders).toEqual(paths.map((each) => `/data/state/${stateFolderOf(each)}`));
      }),
      { numRuns: 150 },
    );
  });

  it('gives each path a folder of its own', () => {
    const name = fc.stringMatching(/^[ab]([ab-]{0,3}[ab])?$/);
    const path = fc
      .array(name, { minLength: 1, maxLength: 3 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(path, path, (one, other) => {
        expect(stateFolderOf(one) === stateFolderOf(other)).toBe(one === other);
      }),
    );
    expect(stateFolderOf('/usr/local')).toBe('usr-local');
  });

  it('gets one more path, and keeps what was written there', () => {
    expect(withPath('# mine\n/opt/x', '/opt/y', ['/var'])).toBe('# mine\n/opt/x\n/opt/y\n');
    codeOf(() => withPath('/opt/x\n', '/opt/x', []), 'INPUT_STATE_PATH');
    codeOf(() => withPath('', '/var/lib', ['/var']), 'INPUT_STATE_PATH');
  });
});
