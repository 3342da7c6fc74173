import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { git } from '../../etc/history/support/git.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { missing } from '../../support/requirements.ts';
import { DiskMachine, writeFiles } from './support/disk-machine.ts';

const shipped = {
  hostname: 'alpine\n',
  motd: 'welcome\n',
  'ssh/sshd_config': 'Port 22\nPermitRootLogin no\n',
  'conf.d/web': 'port=80\n',
  shadow: ['root:*\n', 0o640],
} as const;

describe.skipIf(missing('disk', 'grub', 'root', 'git') !== undefined)('pinectl etc', () => {
  const folder = temporaryFolder();
  let machine: DiskMachine;
  const etc = (path: string) => join(machine.etc('first.0'), path);
  const mode = (path: string) => (statSync(etc(path)).mode & 0o7777).toString(8);

  beforeAll(async () => {
    machine = await DiskMachine.make(folder, shipped);
  });

  it('says what is wrong before anything was recorded', async () => {
    expect(await machine.fail('etc', 'log')).toBe('NOT_FOUND_ETC_HISTORY');
    expect(await machine.fail('etc', 'revert', '../passwd')).toBe('USAGE_COMMAND_LINE');
    expect(await machine.fail('etc', 'revert', '/usr/bin')).toBe('USAGE_COMMAND_LINE');
    expect(await machine.fail('etc', 'diff', '--since-upgrade', '--from', 'x')).toBe(
      'USAGE_COMMAND_LINE',
    );
  });

  it('a boot records what is there, and the next one only what is new', async () => {
    await machine.out('boot-complete');
    await machine.out('boot-complete');
    expect((await machine.json('etc', 'log')).revisions).toMatchObject([
      { subject: 'boot of v1', origin: { deployment: 'first.0', version: 'v1' } },
    ]);
    expect(git(machine.history, 'fsck', '--full', '--strict')).toBe('');
    expect(await machine.json('etc', 'status')).toMatchObject({
      changes: [],
      marks: [],
      conflicts: [],
    });
  });

  it('status and diff tell what is not as the release ships it, and keep secrets', async () => {
    writeFiles(machine.etc('first.0'), {
      'ssh/sshd_config': 'Port 2222\nPermitRootLogin no\n',
      shadow: ['root:correct horse\n', 0o640],
      'local.conf': 'mine\n',
    });
    chmodSync(etc('motd'), 0o600);
    rmSync(etc('conf.d'), { recursive: true });
    expect(await machine.out('etc', 'status')).toBe(
      [
        'D  conf.d',
        'D  conf.d/web',
        'A  local.conf',
        'M  motd  (mode, secret)',
        'M  shadow  (secret)',
        'M  ssh/sshd_config\n',
      ].join('\n'),
    );
    expect(await machine.out('etc', 'diff', '/etc/ssh')).toBe(
      [
        'diff a/ssh/sshd_config b/ssh/sshd_config',
        '--- a/ssh/sshd_config\tdefault of v1',
        '+++ b/ssh/sshd_config\t/etc',
        '@@ -1,2 +1,2 @@',
        '-Port 22',
        '+Port 2222',
        ' PermitRootLogin no\n',
      ].join('\n'),
    );
    const all = await machine.out('etc', 'diff');
    expect(all).toContain('mode 0644 -> 0600');
    expect(all).toContain('secret: shadow differs');
    expect(all).not.toContain('horse');
    expect(await machine.out('etc', 'diff', 'shadow', '--secrets')).toContain(
      '+root:correct horse',
    );
    expect(await machine.out('etc', 'diff', '--name-only', 'conf.d')).toBe('conf.d\nconf.d/web\n');
  });

  it('log and show tell what was recorded, by path too', async () => {
    await machine.out('etc', 'record', '-m', 'ssh moves');
    expect((await machine.json('etc', 'log', 'ssh')).revisions).toMatchObject([
      { subject: 'ssh moves' },
      { subject: 'boot of v1' },
    ]);
    expect((await machine.json('etc', 'log', '-n', '1', 'hostname')).revisions).toMatchObject([
      { subject: 'boot of v1' },
    ]);
    const shown = await machine.json('etc', 'show', 'machine');
    expect(shown.differences).toHaveLength(6);
    expect(await machine.out('etc', 'show', 'machine~1', 'ssh/sshd_config')).toContain('Port 22\n');
    expect(await machine.fail('etc', 'show', 'machine', 'shadow')).toBe('STATE_ETC_CONTENT');
    expect(await machine.fail('etc', 'show', 'machine', 'nothing')).toBe('NOT_FOUND_ETC_PATH');
    expect(await machine.fail('etc', 'show', 'machine~9')).toBe('NOT_FOUND_ETC_REVISION');
  });

  it('revert brings back content, mode and owner, and can itself be reverted', async () => {
    expect((await machine.json('etc', 'revert', 'ssh', '--to', 'machine~1')).restored).toEqual([
      'ssh/sshd_config',
    ]);
    expect(readFileSync(etc('ssh/sshd_config'), 'utf8')).toContain('Port 22\n');
    await machine.out('etc', 'revert', 'ssh/sshd_config', '--to', 'machine~1');
    expect(readFileSync(etc('ssh/sshd_config'), 'utf8')).toContain('Port 2222\n');
    await machine.out('etc', 'revert', 'motd');
    expect(mode('motd')).toBe('644');
    await machine.out('etc', 'revert', '/etc/conf.d/web', '--default');
    expect(readFileSync(etc('conf.d/web'), 'utf8')).toBe('port=80\n');
    expect(await machine.fail('etc', 'revert', 'local.conf')).toBe('NOT_FOUND_ETC_PATH');
  });

  it('revert takes nothing away that it could not give back', async () => {
    expect(await machine.fail('etc', 'revert', 'shadow')).toBe('STATE_ETC_UNRECORDED');
    expect(readFileSync(etc('shadow'), 'utf8')).toBe('root:correct horse\n');
    await machine.out('etc', 'revert', 'shadow', '--force');
    expect(readFileSync(etc('shadow'), 'utf8')).toBe('root:*\n');
    expect(mode('shadow')).toBe('640');
    rmSync(etc('hostname'));
    writeFiles(machine.etc('first.0'), { 'hostname/in-the-way': 'x\n' });
    expect(await machine.fail('etc', 'revert', 'hostname')).toBe('STATE_ETC_KIND');
    rmSync(etc('hostname'), { recursive: true });
    await machine.out('etc', 'revert', 'hostname');
  });

  it('mark pins a path, and --remove lets it go', async () => {
    expect((await machine.json('etc', 'mark', '/etc/motd')).marks).toEqual(['motd']);
    expect((await machine.json('etc', 'mark', 'conf.d')).marks).toEqual(['conf.d', 'motd']);
    expect(await machine.out('etc', 'status')).toContain('marked: motd\n');
    expect((await machine.json('etc', 'mark', '--remove', 'motd')).marks).toEqual(['conf.d']);
    expect((await machine.json('etc', 'mark')).marks).toEqual(['conf.d']);
    writeFileSync(join(machine.state, 'pine/etc/marks.json'), '{');
    expect(await machine.fail('etc', 'mark')).toBe('CORRUPT_ETC_MARKS');
    rmSync(join(machine.state, 'pine/etc/marks.json'));
  });

  it('a history that was pruned by hand keeps so many', async () => {
    await machine.out('etc', 'record', '--keep', '2');
    expect((await machine.json('etc', 'log')).revisions).toHaveLength(2);
    expect(git(machine.history, 'fsck', '--full', '--strict', '--unreachable')).toBe('');
  });

  it('after a rollback, what was changed during the trial is offered again', async () => {
    await machine.release({ ...shipped, motd: 'welcome to v2\n' });
    await machine.out('upgrade');
    expect((await machine.json('etc', 'log', '--branch', 'shipped')).revisions).toMatchObject([
      { subject: 'v2 is shipped' },
      { subject: 'v1 is shipped' },
    ]);
    const [{ origin }] = (await machine.json('etc', 'log', '--branch', 'upgrade')).revisions;
    const trial = machine.etc(origin.deployment);
    expect(await machine.run('etc', 'diff', '--since-upgrade')).toMatchObject({
      error: undefined,
      out: '',
    });

    const onTrial = ['--running', origin.deployment];
    writeFiles(trial, { 'conf.d/web': 'port=8080\n', psk: ['hush\n', 0o600] });
    const during = await machine.out('etc', 'diff', '--since-upgrade', ...onTrial);
    expect(during).toContain('+port=8080\n');
    expect(during).not.toContain('hush');
    await machine.out('rollback', '--no-reboot', ...onTrial);
    await machine.out('boot-complete');
    const { out, err } = await machine.run('etc', 'diff', '--since-upgrade');
    expect(out).toContain('+port=8080\n');
    expect(err).toContain('was left');
    // It stays on record when the deployment itself has gone, and taking it ends the offer.
    rmSync(trial, { recursive: true });
    expect(await machine.out('etc', 'diff', '--since-upgrade', '--name-only')).toBe(
      'conf.d/web\npsk\n',
    );
    await machine.out('etc', 'revert', 'conf.d/web', '--to', 'machine~1');
    expect(await machine.out('etc', 'diff', '--since-upgrade', '--name-only')).toBe('psk\n');
    expect(git(machine.history, 'fsck', '--full', '--strict')).toBe('');
  });

  const object = (name: string) => {
    const id = git(machine.history, 'rev-parse', name).trim();
    return join(machine.history, 'objects', id.slice(0, 2), id.slice(2));
  };
  const damages: readonly (readonly [what: string, damage: () => void])[] = [
    ['a revision is torn', () => truncateSync(object('machine'), 20)],
    ['a tree is garbage', () => writeFileSync(object('machine:ssh'), 'garbage')],
    [
      'a file is another',
      () => cpSync(object('machine:hostname'), object('machine:ssh/sshd_config')),
    ],
    [
      'the branch is garbage',
      () => writeFileSync(join(machine.history, 'refs/heads/machine'), '\0\0'),
    ],
    ['objects are gone', () => rmSync(join(machine.history, 'objects'), { recursive: true })],
  ];

  it.each(damages)('a history is begun anew when %s', async (_, damage) => {
    damage();
    writeFiles(machine.etc('first.0'), { 'conf.d/web': `port=${Math.random()}\n` });
    const { out, err, error } = await machine.run('etc', 'record', '--json');
    expect(error).toBeUndefined();
    expect(err).toMatch(/the history of \/etc is damaged .* a new one is begun/);
    expect(JSON.parse(out)).toMatchObject({ rebuilt: true });
    expect(git(machine.history, 'fsck', '--full', '--strict')).toBe('');
    const shipped = (await machine.json('etc', 'log', '--branch', 'shipped')).revisions;
    expect(shipped.map(({ subject }: { subject: string }) => subject).sort()).toEqual([
      'v1 is shipped',
      'v2 is shipped',
    ]);
    expect(existsSync(`${machine.history}.damaged`)).toBe(true);
  });

  it('an index of stat data that is garbage is made again', async () => {
    writeFileSync(join(machine.history, 'pine-stat-cache'), 'garbage\n');
    expect(await machine.json('etc', 'record')).toMatchObject({ revision: null, rebuilt: false });
  });
});
