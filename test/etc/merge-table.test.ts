import { describe, expect, it } from 'vitest';
import type { Conflict } from '../../src/etc/conflicts.ts';
import { mergeEtc } from '../../src/etc/merge/merge-etc.ts';
import { FolderSink } from '../../src/etc/trees/folder-sink.ts';
import { folderTree } from '../../src/etc/trees/folder-tree.ts';
import { Files } from '../crash/world/files.ts';
import { Power } from '../crash/world/power.ts';
import { type MergeCase, readMergeCases } from './support/cases.ts';
import { putSide } from './support/put-side.ts';

/** Every entry of a folder as text, without the folder's own name. */
const list = (files: Files, folder: string) =>
  files.describe(folder).map((line) => line.replace(folder, ''));

async function mergeCase(entry: MergeCase) {
  const files = new Files(new Power());
  const at = (folder: string) => (entry.path === '' ? folder : `${folder}/${entry.path}`);
  for (const folder of ['/old', '/new', '/local', '/expected', '/out']) {
    await files.makeFolder(folder, 0o755);
  }
  await putSide(files, at('/old'), entry.old);
  await putSide(files, at('/new'), entry.new);
  await putSide(files, at('/local'), entry.local);
  await putSide(files, `${at('/local')}.pine-new`, entry.besideBefore);
  await putSide(files, at('/expected'), entry.result);
  await putSide(files, `${at('/expected')}.pine-new`, entry.beside);
  // Folders that every tree has are not what a case is about.
  for (const side of [entry.old, entry.new, entry.local]) {
    if (side === undefined) continue;
    for (let end = entry.path.indexOf('/'); end >= 0; end = entry.path.indexOf('/', end + 1)) {
      const parent = entry.path.slice(0, end);
      for (const folder of ['/old', '/new', '/local', '/expected']) {
        await files.makeFolder(`${folder}/${parent}`, 0o755);
      }
    }
  }
  const path = entry.beforePath ?? entry.path;
  const previous: Conflict[] =
    entry.before === undefined
      ? []
      : [{ path, reason: entry.before, detail: 'before', beside: `${path}.pine-new` }];
  const sides = {
    base: await folderTree(files, '/old'),
    next: await folderTree(files, '/new'),
    local: await folderTree(files, '/local'),
  };
  const sink = new FolderSink(files, '/out');
  const common = { sides, marks: entry.marks ?? [], previous, note: () => {} };
  const report = await mergeEtc({ ...common, sink });
  await sink.finish();
  return { files, report, preview: await mergeEtc(common) };
}

describe('the table of merges', () => {
  const cases = readMergeCases();

  it('has its at least sixty cases, each with a name of its own and a reason', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect(cases.filter(({ why }) => !why)).toEqual([]);
  });

  for (const entry of cases) {
    it(`${entry.path || 'all of /etc'}: ${entry.name}`, async () => {
      const { files, report, preview } = await mergeCase(entry);
      expect(list(files, '/out')).toEqual(list(files, '/expected'));
      expect(report.conflicts.map(({ reason }) => reason)).toEqual(
        entry.conflict === undefined ? [] : [entry.conflict],
      );
      expect(preview).toEqual(report);
    });
  }
});
