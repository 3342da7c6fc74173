import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bundleModules, writeModules } from '../../../scripts/build/bundle.ts';
import { git } from '../../etc/history/support/git.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { missing } from '../../support/requirements.ts';
import { DiskMachine } from './support/disk-machine.ts';
import { lackOfLimits, mountOwnDisk, runWithin } from './support/memory-limit.ts';

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

/** What is under /etc: five megabytes. */
function etcOf(release: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: files }, (_, file) => [path(file), content(file, release + file)]),
  );
}

/** A history of 300 releases, each with four changed files, as loose objects: git itself makes it, in a second. */
function makeHistory(folder: string): void {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=machine', folder]);
  const parts: string[] = [];
  for (const branch of ['machine', 'shipped']) {
    for (let release = 1; release <= releases; release += 1) {
      const message = `boot of v${release}\n\nPine-Deployment: first.0\n`;
      parts.push(
        `commit refs/heads/${branch}\ncommitter pine <pine@localhost> ${release}000000 +0000\n`,
      );
      parts.push(`data ${message.length}\n${message}\n`);
      const changed = release === 1 ? files : 4;
      for (let index = 0; index < changed; index += 1) {
        const file = (release * 4 + index) % files;
        const text = content(file, release);
        parts.push(`M 644 inline ${path(file)}\ndata ${text.length}\n${text}\n`);
      }
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

/** The program that a server has as /usr/bin/pinectl, with its settings, on a disk with its own Node.js. */
async function installProgram(folder: string) {
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  copyFileSync(process.execPath, join(programs, 'node'));
  writeModules(programs, await bundleModules(project));
  const disk = mountOwnDisk(programs);
  const text = readFileSync(join(project, 'overlay/usr/bin/pinectl'), 'utf8')
    .replaceAll('/usr/lib/pine/', `${disk.place}/`)
    .replaceAll('exec node ', `exec ${disk.place}/node `);
  const program = join(folder, 'pinectl');
  writeFileSync(program, text, { mode: 0o755 });
  return { program, disk };
}

const lacking = missing('disk', 'grub', 'git', 'root') ?? lackOfLimits();
describe.skipIf(lacking !== undefined)(
  'in 64 MB without swap, with 300 releases of history and an /etc of 5 MB',
  () => {
    it('a boot records and prunes, the history is read, an upgrade is made and judged', async () => {
      const machine = await DiskMachine.make(temporaryFolder(), etcOf(0));
      makeHistory(machine.history);
      // What the administrator has changed: all of it.
      for (const [name, text] of Object.entries(etcOf(releases)))
        writeFileSync(join(machine.etc('first.0'), name), `${text}local\n`);
      const { program, disk } = await installProgram(machine.folder);
      onTestFinished(disk.unmount);
      const figures: string[] = [];
      const run = (...args: string[]) => {
        const on = ['--disk', machine.disk, '--state', machine.state];
        const started = Date.now();
        const result = runWithin(64 * 1024 * 1024, program, [...args, ...on]);
        expect(result).toMatchObject({ status: 0 });
        const { peak, anonymous, again } = result;
        const [most, own, read] = [peak, anonymous, again].map((bytes) => Math.round(bytes / 1e6));
        const seconds = ((Date.now() - started) / 1000).toFixed(1);
        figures.push(
          `${args.join(' ')}: ${most} MB, ${own} of its own; ${read} MB read again; ${seconds} s`,
        );
        return result.out;
      };
      disk.forget();
      run('boot-complete'); // records 500 changed files and what is shipped, and prunes 200 releases of each
      run('boot-complete');
      run('status');
      run('etc', 'status');
      run('etc', 'log', 'd1');
      run('etc', 'record'); // reads every object
      await machine.release({
        ...etcOf(0),
        ...Object.fromEntries(Object.entries(etcOf(900)).slice(250)),
      });
      disk.forget();
      run('upgrade', '--no-reboot'); // stages: writes the slot, merges
      run('finalize-staged'); // merges again
      run('boot-complete', '--running', '2'); // health checks, confirmation, record
      const { running } = JSON.parse(run('status', '--json', '--running', '2'));
      expect(running).toMatchObject({ slot: 'b' });
      console.info(`at the most, page cache counted:\n${figures.join('\n')}`);
      const revisions = Number(git(machine.history, 'rev-list', '--count', 'machine'));
      expect(revisions).toBeGreaterThanOrEqual(100);
      expect(revisions).toBeLessThan(113);
      expect(git(machine.history, 'fsck', '--full', '--strict')).toBe('');
    });
  },
);
