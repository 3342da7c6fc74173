import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatBytes } from '../../src/cli/output.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { encodeKey } from '../../src/trust/keys.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { DiskMachine } from './etc/support/disk-machine.ts';
import { Pinectl } from './support/pinectl.ts';

const ref = 'alpine/x86_64/web';
const folder = temporaryFolder();
const bundle = (name: string): string => join(folder, `${name}.bundle`);

describe.skipIf(missing('disk', 'grub', 'xattr') !== undefined)(
  'a machine without a network, by bundles alone',
  () => {
    let machine: DiskMachine;
    let second: string;
    let third: string;

    beforeAll(async () => {
      machine = await DiskMachine.make(folder, { motd: 'one' });
      const host = new Pinectl(machine.repo, folder);
      const key = machine.writeKey();
      const make = (name: string, of: string, ...options: string[]) =>
        host.run('bundle', 'create', of, '-o', bundle(name), '--sign-key', key, ...options);
      make('one', ref);
      await machine.release({ motd: 'two' });
      second = host.run('rev-parse', ref).trim();
      make('two', ref, '--from', `${ref}^`);
      await machine.release({ motd: 'three' });
      third = host.run('rev-parse', ref).trim();
      make('three', ref, '--from', `${ref}^`);
      make('full', ref);
      make('both', ref, '--from', `${ref}^`, '--full');
      host.run('commit', '--ref', 'other', '--tree', `ref=${ref}`, '--sign-key', key);
      make('other', 'other');
      // What follows has the bundles only.
      renameSync(machine.repo, join(folder, 'gone'));
      execFileSync('cp', ['--sparse=always', machine.disk, join(folder, 'first.img')]);
      renameSync(machine.state, join(folder, 'first'));
    });

    /** Every test begins with a machine that runs the first release. */
    beforeEach(() => {
      execFileSync('cp', ['--sparse=always', join(folder, 'first.img'), machine.disk]);
      rmSync(machine.state, { recursive: true, force: true });
      cpSync(join(folder, 'first'), machine.state, { recursive: true });
    });

    const motd = (deployment: string): string =>
      readFileSync(join(machine.etc(deployment), 'motd'), 'utf8');

    async function running(block: string) {
      const status = await machine.json('status', '--running', block);
      return { ...status.running, text: await machine.out('status', '--running', block) };
    }

    test('goes from release to release, each by the delta from the one before', async () => {
      const applied = await machine.json('bundle', 'apply', bundle('two'));
      expect(applied).toMatchObject({ kind: 'armed', slot: 'b', commit: second });
      await machine.out('boot-complete', '--running', '2');
      const from = ['--bundle', bundle('three'), '--running', '2'];
      const found = await machine.json('upgrade', '--check', ...from);
      expect(found).toMatchObject({ kind: 'new', to: { commit: third } });
      const armed = await machine.json('upgrade', ...from);
      expect(armed).toMatchObject({ kind: 'armed', slot: 'a', commit: third });
      await machine.out('boot-complete', '--running', armed.deployment);
      const now = await running(armed.deployment);
      expect(now).toMatchObject({ slot: 'a' });
      expect(now.text).toContain(`from bundle ${bundle('three')} (${ref}) by a delta`);
      // It read all that is in the bundle, but the mark, and each byte counts once.
      const list = execFileSync('tar', ['tvf', bundle('three')], { encoding: 'utf8' });
      const sizes = list
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(/ +/)[2]));
      const { bytes } = armed.fetched;
      expect(bytes).toBe(sizes.reduce((sum, size) => sum + size));
      expect(now.text).toContain(` by a delta, ${formatBytes(bytes)} read`);
      expect(motd(armed.deployment)).toBe('three');
      const on = ['--running', armed.deployment];
      const again = await machine.json('bundle', 'apply', bundle('full'), ...on);
      expect(again).toMatchObject({ kind: 'up-to-date' });
    });

    test('takes any release by the full delta, and passes over a delta that is not from what runs', async () => {
      const { ways } = await machine.json('upgrade', '--bundle', bundle('both'), '--plan');
      expect(ways[0]).toMatchObject({ kind: 'full' });
      const armed = await machine.json('bundle', 'apply', bundle('full'));
      expect(armed).toMatchObject({ kind: 'armed', slot: 'b', commit: third });
      await machine.out('boot-complete', '--running', '2');
      expect((await running('2')).text).toMatch(/^ {2}came .* by a full delta, /m);
    });

    test('S5: is told what a bundle is of no use for, with nothing written', async () => {
      const before = readFileSync(machine.disk);
      const apply = (name: string, ...options: string[]) =>
        machine.fail('bundle', 'apply', bundle(name), ...options);
      // Its delta is from the second release, and this machine runs the first.
      expect(await apply('three')).toBe('NOT_FOUND_WAY');
      expect(await apply('other')).toBe('NOT_FOUND_REMOTE_REF');
      const { publicKey } = await generateKeyPair('another');
      const keys = join(machine.etc('first.0'), 'pine/keys');
      renameSync(join(keys, 'release.pub'), join(folder, 'release.pub'));
      expect(await apply('full')).toBe('TRUST_NO_KEYS');
      writeFileSync(join(keys, 'another.pub'), `${encodeKey(publicKey)}\n`);
      expect(await apply('full')).toBe('TRUST_UNKNOWN_KEY');
      expect(readFileSync(machine.disk).equals(before)).toBe(true);
    });

    test('S5: an older bundle is refused, unless that is meant', async () => {
      await machine.out('bundle', 'apply', bundle('full'));
      await machine.out('boot-complete', '--running', '2');
      const back = ['bundle', 'apply', bundle('one'), '--running', '2'];
      expect(await machine.fail(...back)).toBe('TRUST_OLDER');
      const armed = await machine.json(...back, '--allow-downgrade');
      expect(armed).toMatchObject({ kind: 'armed', slot: 'a' });
    });

    test('a commit that was left by a rollback is held, whatever brings it', async () => {
      await machine.out('bundle', 'apply', bundle('full'));
      await machine.out('boot-complete', '--running', '2');
      await machine.out('rollback', '--running', '2');
      await machine.out('boot-complete', '--running', '1');
      expect(await machine.fail('bundle', 'apply', bundle('full'))).toBe('STATE_HELD');
      const retried = await machine.json('bundle', 'apply', bundle('full'), '--retry');
      expect(retried).toMatchObject({ kind: 'armed', commit: third });
    });

    test('staged from a bundle, it is armed when the machine goes down', async () => {
      cpSync(bundle('two'), bundle('stick'));
      const staged = await machine.json('bundle', 'apply', bundle('stick'), '--no-reboot');
      expect(staged).toMatchObject({ kind: 'staged', commit: second });
      writeFileSync(join(machine.etc('first.0'), 'issue'), 'mine');
      rmSync(bundle('stick'));
      await machine.out('finalize-staged');
      await machine.out('boot-complete', '--running', '2');
      const { deployment } = staged;
      expect(readFileSync(join(machine.etc(deployment), 'issue'), 'utf8')).toBe('mine');
      expect(motd(deployment)).toBe('two');
    });
  },
);
