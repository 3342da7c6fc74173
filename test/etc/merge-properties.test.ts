import { describe, it } from 'vitest';
import type { Conflict } from '../../src/etc/conflicts.ts';
import { mergeEtc } from '../../src/etc/merge/merge-etc.ts';
import { FolderSink } from '../../src/etc/trees/folder-sink.ts';
import { folderTree } from '../../src/etc/trees/folder-tree.ts';
import { Files } from '../crash/world/files.ts';
import { Power } from '../crash/world/power.ts';
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  constantFrom,
  dictionary,
  integer,
  oneof,
  option,
  record,
  uniqueArray,
} from '../support/fast-check.ts';
import type { Side } from './support/cases.ts';
import { putSide } from './support/put-side.ts';

type Tree = Record<string, Side>;
const runs = { numRuns: 200 };

/** Texts of few different lines, so that the sides often meet. */
const text = array(constantFrom('a\n', 'b\n', 'c\n', 'd\n', '\n'), { maxLength: 6 }).map((lines) =>
  lines.join(''),
);
const mode = constantFrom('644', '600', '755', '4755');
const owner = constantFrom('0:0', '0:42', '100:101');
const xattrs = option(record({ 'user.a': constantFrom('1', '2') }, { requiredKeys: [] }), {
  nil: undefined,
});
const file: Arbitrary<Side> = record({ text, mode, owner }).chain((side) =>
  xattrs.map((found) => (found === undefined ? side : { ...side, xattrs: found })),
);
const binary: Arbitrary<Side> = constantFrom(
  { base64: 'AAE=' },
  { base64: 'AAI=' },
  { base64: '6Q==' },
);
const link: Arbitrary<Side> = constantFrom({ link: 'a' }, { link: '/b' });
const leaf = oneof({ weight: 6, arbitrary: file }, binary, link);
const folder: Arbitrary<Side> = dictionary(constantFrom('x', 'y'), leaf, { maxKeys: 2 }).map(
  (entries) => ({ folder: entries }),
);
const account = integer({ min: 0, max: 5 }).chain((id) =>
  constantFrom('root', 'web', 'ann', 'bob').map((name) => `${name}:x:${id}:${id}::/:/bin/sh\n`),
);
const passwd: Arbitrary<Side> = uniqueArray(oneof(account, constantFrom('broken\n', '# mine\n')), {
  selector: (line) => line.split(':')[0],
  maxLength: 4,
}).map((lines) => lines.join(''));
const keys: Arbitrary<Side> = dictionary(
  constantFrom('a.pub', 'b.pub', 'c.revoked'),
  constantFrom('AAAA\n', 'BBBB\n', '# c\nAAAA\n'),
  { maxKeys: 3 },
).map((entries) => ({ folder: { keys: { folder: entries } } }));
/** A tree of /etc with paths of each kind. */
const tree: Arbitrary<Tree> = record(
  {
    motd: leaf,
    either: oneof(leaf, folder),
    'conf.d': folder,
    hostname: file,
    'resolv.conf': file,
    passwd,
    pine: keys,
  },
  { requiredKeys: [] },
) as Arbitrary<Tree>;

async function put(files: Files, root: string, side: Tree): Promise<void> {
  await putSide(files, root, { folder: side });
}

async function merge(files: Files, local: string, to: string, previous: readonly Conflict[] = []) {
  const sink = new FolderSink(files, to);
  const sides = {
    base: await folderTree(files, '/old'),
    next: await folderTree(files, '/new'),
    local: await folderTree(files, local),
  };
  const report = await mergeEtc({ sides, marks: [], previous, sink, note: () => {} });
  await sink.finish();
  return report;
}

async function begin(old: Tree, next: Tree, local: Tree): Promise<Files> {
  const files = new Files(new Power());
  await put(files, '/old', old);
  await put(files, '/new', next);
  await put(files, '/local', local);
  return files;
}

const list = (files: Files, root: string) =>
  files.describe(root).map((line) => line.replace(root, ''));

/** Every line of every file below a folder. */
function linesOf(files: Files, root: string): string[] {
  return files.describe(root).flatMap((entry) => {
    const [, kind, , , content = ''] = entry.split(' ');
    return kind === 'file' ? Buffer.from(content, 'base64').toString('latin1').split('\n') : [];
  });
}

function fail(message: string, ...shown: readonly unknown[]): never {
  throw new Error([message, ...shown.map((value) => JSON.stringify(value, null, 1))].join('\n'));
}

describe('a merge of any three trees', () => {
  it('S8: loses no line that the administrator wrote', async () => {
    await assert(
      asyncProperty(tree, tree, tree, async (old, next, local) => {
        const files = await begin(old, next, local);
        await merge(files, '/local', '/out');
        const [shipped, kept] = [new Set(linesOf(files, '/old')), new Set(linesOf(files, '/out'))];
        // An account whose fields were merged is there under its name.
        const names = new Set([...kept].map((line) => line.split(':')[0]));
        const lost = linesOf(files, '/local').filter(
          (line) => !shipped.has(line) && !kept.has(line) && !names.has(line.split(':')[0]),
        );
        if (lost.length > 0) fail('lost lines', lost, list(files, '/local'), list(files, '/out'));
      }),
      runs,
    );
  });

  it('never changes a side', async () => {
    await assert(
      asyncProperty(tree, tree, tree, async (old, next, local) => {
        const files = await begin(old, next, local);
        const before = ['/old', '/new', '/local'].map((side) => list(files, side).join('\n'));
        await merge(files, '/local', '/out');
        const after = ['/old', '/new', '/local'].map((side) => list(files, side).join('\n'));
        if (before.join() !== after.join()) fail('a side was changed', before, after);
      }),
      { numRuns: 100 },
    );
  });

  it('gives exactly the new default when nothing was changed here', async () => {
    await assert(
      asyncProperty(tree, tree, async (old, next) => {
        const files = await begin(old, next, old);
        const report = await merge(files, '/local', '/out');
        const [found, wanted] = [list(files, '/out'), list(files, '/new')];
        const onlyKeys = report.conflicts.every(({ reason }) => reason === 'keys');
        const compared = (lines: string[]) =>
          report.conflicts.length === 0 ? lines : lines.filter((line) => !line.startsWith('/pine'));
        if (!onlyKeys || compared(found).join('\n') !== compared(wanted).join('\n')) {
          fail('not the new default', report, found, wanted);
        }
      }),
      runs,
    );
  });

  it('gives exactly what is here when the release changed nothing', async () => {
    await assert(
      asyncProperty(tree, tree, async (old, local) => {
        const files = await begin(old, old, local);
        const report = await merge(files, '/local', '/out');
        const [found, wanted] = [list(files, '/out'), list(files, '/local')];
        const compared = (lines: string[]) =>
          lines.filter((line) => !line.startsWith('/pine/keys/'));
        if (
          report.conflicts.length > 0 ||
          compared(found).join('\n') !== compared(wanted).join('\n')
        ) {
          fail('not what is here', report, found, wanted);
        }
      }),
      runs,
    );
  });

  it('changes nothing when it is done twice', async () => {
    await assert(
      asyncProperty(tree, tree, tree, async (old, next, local) => {
        const files = await begin(old, next, local);
        const first = await merge(files, '/local', '/once');
        await files.remove('/old');
        await put(files, '/old', next);
        const second = await merge(files, '/once', '/twice', first.conflicts);
        const paths = (conflicts: readonly Conflict[]) => conflicts.map(({ path }) => path).join();
        if (
          list(files, '/once').join('\n') !== list(files, '/twice').join('\n') ||
          paths(first.conflicts) !== paths(second.conflicts)
        ) {
          fail('the second differs', first, second, list(files, '/once'), list(files, '/twice'));
        }
      }),
      runs,
    );
  });
});
