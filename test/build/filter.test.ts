import { describe, expect, test } from 'vitest';
import { applyFilter } from '../../src/build/filter/apply-filter.ts';
import { compileGlob } from '../../src/build/filter/glob.ts';
import { parseFilter } from '../../src/build/filter/rules.ts';
import { walkSource } from '../../src/build/source-node.ts';
import { SourceTree } from '../../src/build/source-tree.ts';
import { codeOf } from '../support/code-of.ts';

function tree(...files: string[]): SourceTree {
  const made = SourceTree.empty();
  for (const path of files) made.putFile(path, Buffer.from(path), { mode: 0o644 });
  return made;
}

function filtered(made: SourceTree, ...rules: string[]) {
  const result = applyFilter(made, parseFilter(rules.join('\n'), 'filter'));
  const paths = [...walkSource(made.root)].flatMap(([path, { kind }]) =>
    kind === 'directory' ? [] : [path],
  );
  return { ...result, paths: paths.sort() };
}

const man = ['/usr/bin/x', '/usr/share/man/man1/x.1', '/usr/share/man/de/y', '/usr/share/other'];

describe('globs', () => {
  test.each([
    ['/a/*', ['/a/b'], ['/a', '/a/b/c', '/b/a/b']],
    ['/a/**', ['/a/b', '/a/b/c'], ['/a', '/ab']],
    ['/a/**/z', ['/a/z', '/a/b/c/z'], ['/az', '/a/bz']],
    ['*.pyc', ['/x.pyc', '/a/b/x.pyc'], ['/x.pyc/y', '/x.py']],
    ['b/c', ['/b/c', '/a/b/c'], ['/ab/c']],
    ['/[ab]?', ['/ax', '/b\u{1f600}'], ['/cx', '/a', '/a/']],
    ['/[!a]', ['/b'], ['/a', '//']],
    ['/a.b+(c)', ['/a.b+(c)'], ['/aXb+(c)', '/a.bb(c)']],
    ['/\\*', ['/*'], ['/a']],
    ['/new\nline*', ['/new\nline\n'], ['/newline']],
    ['/', ['/'], ['/a']],
  ])('%s', (pattern, matching, others) => {
    const glob = compileGlob(pattern);
    for (const path of matching) expect(glob?.test(path), path).toBe(true);
    for (const path of others) expect(glob?.test(path), path).toBe(false);
  });

  test('left open', () => {
    for (const pattern of ['/[a', '/a\\', '/[]']) expect(compileGlob(pattern)).toBeUndefined();
  });
});

describe('a filter', () => {
  test('drops folders with what is in them, and keeps what a later rule names', () => {
    expect(filtered(tree(...man), 'drop /usr/share/man')).toMatchObject({
      paths: ['/usr/bin/x', '/usr/share/other'],
      dropped: 5,
    });
    expect(filtered(tree(...man), 'drop /usr/share/man', 'keep /usr/share/man/man1').paths).toEqual(
      ['/usr/bin/x', '/usr/share/man/man1/x.1', '/usr/share/other'],
    );
    // The other way round, the drop is the last word.
    expect(filtered(tree(...man), 'keep /usr/share/man/man1', 'drop /usr/share/man').paths).toEqual(
      ['/usr/bin/x', '/usr/share/other'],
    );
  });

  test('keeps by list only', () => {
    const made = tree(...man);
    expect(filtered(made, 'drop /**', 'keep *.1', 'keep /usr/bin/').paths).toEqual([
      '/usr/bin/x',
      '/usr/share/man/man1/x.1',
    ]);
    expect(made.find('/usr/share/man/de')).toBeUndefined();
  });

  test('a pattern with a slash at its end means folders alone', () => {
    expect(filtered(tree('/a/cache/x', '/b/cache'), 'drop cache/').paths).toEqual(['/b/cache']);
  });

  test('sets modes and owners, later rules over earlier ones', () => {
    const made = tree('/etc/secret/key', '/etc/motd');
    made.putLink('/etc/link', 'motd');
    filtered(
      made,
      '# comment',
      '',
      'mode 0640 /etc/**',
      '  mode 4755 /etc/secret/*  ',
      'mode 0700 /etc/**/',
      'owner 7:8 /etc/secret/**',
      'owner 1:2 /',
    );
    const facts = [...walkSource(made.root)].map(([path, { mode, uid, gid }]) =>
      [path, mode.toString(8), uid, gid].join(' '),
    );
    expect(facts.sort()).toEqual([
      '/ 40755 1 2',
      '/etc 40755 0 0',
      '/etc/link 120777 0 0',
      '/etc/motd 100640 0 0',
      '/etc/secret 40700 0 0',
      '/etc/secret/key 104755 7 8',
    ]);
  });

  test('tells rules that met nothing', () => {
    const { unused } = filtered(tree(...man), 'drop /usr/shar/man', 'keep /usr');
    expect(unused.map(({ line, text }) => [line, text])).toEqual([[1, 'drop /usr/shar/man']]);
  });

  test.each([
    'remove /x',
    'drop',
    'mode 0999 /x',
    'mode 10000 /x',
    'mode rw /x',
    'owner root:root /x',
    'owner 1 /x',
    'owner 4294967295:0 /x',
    'drop /[x',
    'drop /[z-a]x',
  ])('refuses %s, with its line', (line) => {
    const error = codeOf(() => parseFilter(`# one\n${line}\n`, 'my-filter'), 'INPUT_FILTER');
    expect(error.details.where).toBe('my-filter:2');
  });
});
