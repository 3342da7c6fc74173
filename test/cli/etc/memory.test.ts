import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleModules, writeModules } from '../../../scripts/build/bundle.ts';
import { git } from '../../etc/history/support/git.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { missing } from '../../support/requirements.ts';
import { DiskMachine } from './support/disk-machine.ts';
import { lackOfLimits, runWithin } from './support/memory-limit.ts';

const project = new URL('../../..', import.meta.url).pathname;
const releases = 300;
const files = 500;
const path = (file: number) => `d${file % 50}/f${file}`;

/** Ten kilobytes of text that do not compress well. */
function content(file: number, release: number): string {
  const lines = Array.from({ length: 150 }, (_, line) =>
    createHash('sha256').update(`${file} ${release} ${line}`).digest('base64'),
  );
  return `${lines.join('\n')}\n`;
}

/** A history of 300 releases, each with four changed files, as loose objects: git itself makes it, in a second. */
function makeHistory(folder: string): void {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=machine', folder]);
  const parts: string[] = [];
  for (let release = 1; release <= releases; release += 1) {
    const message = `boot of v${release}\n\nPine-Deployment: first.0\n`;
    parts.push(
      `commit refs/heads/machine\ncommitter pine <pine@localhost> ${release}000000 +0000\n`,
    );
    parts.push(`data ${message.length}\n${message}\n`);
    const changed = release === 1 ? files : 4;
    for (let index = 0; index < changed; index += 1) {
      const file = (release * 4 + index) % files;
      const text = content(file, release);
      parts.push(`M 644 inline ${path(file)}\ndata ${text.length}\n${text}\n`);
    }
  }
  execFileSync('git', ['--git-dir', folder, 'fast-import', '--quiet'], { input: parts.join('') });
  const packs = join(folder, 'objects/pack');
  for (const name of readdirSync(packs).filter((name) => name.endsWith('.pack'))) {
    const pack = readFileSync(join(packs, name));
    rmSync(packs, { recursive: true });
    mkdirSync(packs);
    execFileSync('git', ['--git-dir', folder, 'unpack-objects', '-q'], { input: pack });
  }
}

const lacking = missing('disk', 'grub', 'git', 'root') ?? lackOfLimits();
describe.skipIf(lacking !== undefined)(
  'in 64 MB, with 300 releases of history and an /etc of 5 MB',
  () => {
    it('a boot records and prunes, and the history is read', async () => {
      const machine = await DiskMachine.make(temporaryFolder(), { hostname: 'web\n' });
      makeHistory(machine.history);
      for (let file = 0; file < files; file += 1) {
        const place = join(machine.etc('first.0'), path(file));
        mkdirSync(join(place, '..'), { recursive: true });
        writeFileSync(place, content(file, releases + file));
      }
      const pinectl = join(machine.folder, 'pinectl.mjs');
      writeModules(machine.folder, await bundleModules(project));
      // As overlay/usr/bin/pinectl starts it.
      const settings = readFileSync(join(project, 'overlay/usr/bin/pinectl'), 'utf8').match(
        /--\S+=\S+|--optimize-for-size/g,
      );
      const run = (...args: string[]) => {
        const on = ['--disk', machine.disk, '--state', machine.state];
        const command = [...(settings ?? []), pinectl, ...args, ...on];
        const result = runWithin(64 * 1024 * 1024, process.execPath, command);
        expect(result).toMatchObject({ status: 0, signal: null });
        return result;
      };
      const peaks = [
        run('boot-complete'), // records 500 changed files, and prunes 200 releases
        run('boot-complete'),
        run('etc', 'log', 'd1'),
        run('etc', 'show', 'machine~20'),
        run('etc', 'record'), // reads every object
      ].map(({ peak }) => `${(peak / 1e6).toFixed(0)} MB`);
      console.info(`at the most ${peaks.join(', ')}, page cache counted`);
      expect(git(machine.history, 'rev-list', '--count', 'machine').trim()).toBe('100');
      expect(git(machine.history, 'fsck', '--full', '--strict', '--unreachable')).toBe('');
    });
  },
);
