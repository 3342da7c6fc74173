import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { readRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { ostree } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { smallFolder, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';

const folder = temporaryFolder();
const origin = join(folder, 'origin');
const tree = join(folder, 'tree');
const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const kills = Number(process.env.PINE_KILLS ?? 4);
let first = '';
/** Milliseconds that each command takes when nobody kills it. */
const takes = { commit: 0, prune: 0, pull: 0 };

const command = (name: keyof typeof takes, repo: string): string[] => {
  const words = {
    commit: ['commit', '--ref', 'x', tree],
    prune: ['prune', '--depth', '0'],
    pull: ['pull', '--mirror', '--depth', '-1', origin],
  };
  return [main, ...words[name], '--repo', repo];
};

/** What each begins with: a pull with nothing, the others with a repository that has some history. */
async function prepared(name: keyof typeof takes, path: string): Promise<Repository> {
  rmSync(path, { recursive: true, force: true });
  if (name === 'pull') return Repository.init(path, quick);
  cpSync(origin, path, { recursive: true });
  return Repository.open(path, quick);
}

beforeAll(async () => {
  if (missing('ostree', 'xattr') !== undefined) return;
  smallFolder(tree);
  for (let at = 0; at < 300; at += 1) writeFileSync(join(tree, `file-${at}`), `${at}`.repeat(5000));
  const repository = await Repository.init(origin, quick);
  for (let age = 0; age < 30; age += 1) {
    const made = smallTree(`${age}`);
    for (let at = 0; at < 20; at += 1)
      made.putFile(`/f${at}`, Buffer.from(`${age} ${at}`), { mode: 0o644 });
    const options = { ref: 'x', timestamp: timestamp + age, image: age % 5 === 0 };
    first = (await commitTree(repository, made, options)).commit;
  }
  for (const name of ['commit', 'prune', 'pull'] as const) {
    await prepared(name, join(folder, 'timed'));
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, command(name, join(folder, 'timed')), {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    takes[name] = performance.now() - started;
  }
});

describe.skipIf(missing('ostree', 'xattr') !== undefined)('S7: killed at any time', () => {
  test.each(['commit', 'prune', 'pull'] as const)(
    '%s: the repository is whole, and the next one ends well',
    async (name) => {
      const path = join(folder, name);
      let cut = 0;
      for (let kill = 1; kill <= kills; kill += 1) {
        const repository = await prepared(name, path);
        const child = spawn(process.execPath, command(name, path), { stdio: 'ignore' });
        const ended = once(child, 'exit');
        await Promise.race([ended, pause(takes[name] * (0.1 + (0.7 * (kill - 1)) / kills))]);
        child.kill('SIGKILL');
        await ended;
        if (child.signalCode === 'SIGKILL') cut += 1;
        // What a commit or a pull leaves is in tmp/, and no ref leads to what is not there.
        const { problems } = await checkRepository(repository);
        expect(problems).toEqual([]);
        const found = await readRef(repository, 'x');
        if (name === 'pull') expect([undefined, first]).toContain(found);
        if (name === 'prune') expect(found).toBe(first);
        ostree(path, 'fsck');
        const again = spawnSync(process.execPath, command(name, path), { encoding: 'utf8' });
        expect(again.status, again.stderr).toBe(0);
        expect(readdirSync(join(path, 'tmp')).filter((each) => /^(pine|pull)-/.test(each))).toEqual(
          [],
        );
        expect(readdirSync(join(path, 'state'))).toEqual([]);
        expect((await checkRepository(repository)).problems).toEqual([]);
        expect(existsSync(join(path, '.lock'))).toBe(true);
      }
      // A machine that has other work now and none later makes times of no use.
      expect(cut).toBeGreaterThan(0);
    },
    300_000,
  );
});
