import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfiguration } from '../../../../src/deploy/configuration.ts';
import { surveyHost } from '../../../../src/install/hijack/survey.ts';
import { carryOver } from '../../../../src/install/hijack/take-over/carry-over.ts';
import { switchedOff } from '../../../../src/install/hijack/take-over/cloud-programs.ts';
import { readOldSystem } from '../../../../src/install/hijack/take-over/old-system.ts';
import { parseRecord, type TakeOverRecord } from '../../../../src/take-over/record.ts';
import { recordedHost } from '../support/recorded-host.ts';

const image = {
  ...{
    passwd: 'root:x:0:0:root:/root:/bin/ash\n',
    group: 'root:x:0:\n',
    shadow: 'root:*::0:::::\n',
  },
  sshdConfig: 'Include /etc/ssh/sshd_config.d/*.conf\nPort 22\nUsePAM no\n',
  pinectlToml:
    '# follows\n#remote = "https://example"\nremote = "x"\nref = "y"\n[trial]\ntries = 3\n[health]\ntimeout = 60\n[etc]\nkeep = 7\n',
  shells: new Set(['/bin/sh']),
  seesLogins: true,
  cloud: { cloudInit: false, tinyCloud: undefined },
};
const following = { remote: 'https://e.org/"r', ref: 'alpine/web', keys: ['AAAA\n'] };
const record: TakeOverRecord = {
  ...{
    id: '0123456789abcdef',
    time: 1_700_000_000,
    system: 'Debian',
    kernel: '6.1',
    hostName: 'vps',
  },
  ...{ remote: following.remote, ref: following.ref, commit: 'c'.repeat(64), deployment: 'c0ffee' },
  ...{ confirmAfter: undefined, deadline: 1800, disk: '/dev/vda', storyAt: 524_288 },
};

async function carry(changes: Partial<typeof image> = {}) {
  const host = recordedHost('debian-vps');
  const old = await readOldSystem(host, await surveyHost(host));
  const hostKeys = new Map([['/etc/ssh/ssh_host_ed25519_key', Buffer.from('secret')]]);
  return carryOver({ ...image, ...changes }, { ...old, hostKeys }, following, record);
}

function unpack(tar: Buffer, path: string): string {
  return execFileSync('tar', ['-xOf', '-', path], { input: tar, encoding: 'utf8' });
}

test('network, host keys, login and what to follow are in a tar that tar reads', async () => {
  const { tar, paths, notes } = await carry();
  const listed = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], {
    input: tar,
    encoding: 'utf8',
  });
  expect(listed).toMatch(/^-rw------- 0\/0 .* etc\/ssh\/ssh_host_ed25519_key$/m);
  expect(listed).toMatch(/^-rw-r----- 0\/0 .* etc\/shadow$/m);
  expect(listed).toMatch(/^drwxr-xr-x 1000\/1000 .* home\/admin\/$/m);
  expect(listed).toMatch(/^drwx------ 1000\/1000 .* home\/admin\/\.ssh\/$/m);
  expect(listed).toMatch(/^-rw------- 1000\/1000 .* home\/admin\/\.ssh\/authorized_keys$/m);
  expect(listed.trim().split('\n').length).toBe(paths.length);
  expect(notes).toEqual([]);
  expect(unpack(tar, 'etc/passwd')).toContain('admin:x:1000:1000::/home/admin:/bin/sh\n');
  expect(unpack(tar, 'etc/network/interfaces')).toContain(
    'auto eth0\niface eth0\n\taddress 10.0.2.15/24\n\tgateway 10.0.2.2\n',
  );
  expect(unpack(tar, 'etc/pine/keys/hijack-1.pub')).toBe('AAAA\n');
});

test("sshd's port and root's login stand first, and the image's own are off", async () => {
  const { tar } = await carry();
  expect(unpack(tar, 'etc/ssh/sshd_config')).toMatch(
    /^Port \d+\nPermitRootLogin \S+\nInclude .*\n#Port 22\nUsePAM no\n$/,
  );
});

test('the settings follow the new remote, and what makes the machine reachable is required', async () => {
  for (const pinectlToml of [image.pinectlToml, '', '[trial]\ntries = 3\n']) {
    const { tar } = await carry({ pinectlToml });
    const text = unpack(tar, 'etc/pine/pinectl.toml');
    const parsed = await parseConfiguration(text, 'pinectl.toml');
    expect(parsed).toMatchObject({ remote: following.remote, ref: following.ref });
    expect(parsed.trial.tries).toBe(pinectlToml === '' ? 2 : 3);
    expect(parsed.health.required.map(({ name }) => name)).toEqual([
      ...['default-route', 'sshd:2222'],
    ]);
  }
  const own = '[health]\nrequired = ["sshd"]\n';
  const text = unpack((await carry({ pinectlToml: own })).tar, 'etc/pine/pinectl.toml');
  const { required } = (await parseConfiguration(text, 'pinectl.toml')).health;
  expect(required.map(({ name }) => name)).toEqual(['sshd']);
});

test('the first trial is told of the take-over, and sees logins, if its pine can', async () => {
  const { tar } = await carry();
  expect(parseRecord(unpack(tar, 'etc/pine/hijack'))).toEqual(record);
  const listed = execFileSync('tar', ['-tvf', '-'], { input: tar, encoding: 'utf8' });
  expect(listed).toContain(
    'etc/runlevels/default/pine-first-login -> /etc/init.d/pine-first-login',
  );
  const old = (await carry({ seesLogins: false })).paths;
  expect(old).not.toContain('/etc/runlevels/default/pine-first-login');
});

test('cloud-init and tiny-cloud are switched off where the image has them, and only there', async () => {
  const paths = (members: readonly { readonly path: string }[]) => members.map(({ path }) => path);
  const none = { cloudInit: false, tinyCloud: undefined };
  expect(switchedOff(none)).toEqual([]);
  const tinyCloud = new Map([['/etc/tiny-cloud.conf', 'CLOUD=aws']]);
  const off = switchedOff({ ...none, tinyCloud });
  expect(paths(off)).toEqual(['etc/tiny-cloud.disabled', 'etc/tiny-cloud.conf']);
  expect(off[1]?.content).toMatch(/^CLOUD=aws\n[\s\S]*^SKIP_INIT_ACTIONS="/m);
  const { tar } = await carry({ cloud: { ...none, cloudInit: true } });
  expect(unpack(tar, 'etc/cloud/cloud-init.disabled')).toBe('');
  const settings = parse(unpack(tar, 'etc/cloud/cloud.cfg.d/99-pine-hijack.cfg'));
  expect(settings).toMatchObject({
    ...{ network: { config: 'disabled' }, ssh_deletekeys: false, growpart: { mode: 'off' } },
    resize_rootfs: false,
  });
});

test('what is to become of the old system is in the new /etc, when something is', async () => {
  const host = recordedHost('debian-vps');
  const old = await readOldSystem(host, await surveyHost(host));
  for (const oldSystem of ['keep-data', 'wipe'] as const) {
    const { tar } = carryOver(image, old, { ...following, oldSystem }, record);
    expect(unpack(tar, 'etc/pine/old-system')).toBe(`${oldSystem}\n`);
  }
  expect(carryOver(image, old, following, record).paths).not.toContain('/etc/pine/old-system');
});
