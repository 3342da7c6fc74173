import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../src/deploy/configuration.ts';
import { builtInChecks } from '../../../src/deploy/health/built-in-checks.ts';
import { defaultRoute4, defaultRoute6 } from '../../../src/deploy/health/default-route.ts';
import { nodeNetwork } from '../../../src/deploy/health/node-network.ts';
import type { ProgramOptions } from '../../../src/deploy/machine.ts';
import type { Network } from '../../../src/ports/network.ts';
import { nodeFileSystem } from '../../../src/ports/node-file-system.ts';
import { codeOfAsync } from '../../support/code-of.ts';

const head = 'remote = "https://updates.example.org/repo"\nref = "web"\n[health]\n';
const health = async (text: string, start = head) =>
  (await parseConfiguration(start + text, 'x')).health;

describe('[health]', () => {
  it('switches built-in checks on, and says how long each check may take', async () => {
    const text = `timeout = 9
      required = ["default-route", "name-resolution", "sshd", "service:nginx"]
      wanted = ["remote", "sshd:2222", "sshd:[::1]:22", "name-resolution:example.net"]
      timeouts = { "50-web" = 120, remote = 20 }`;
    expect(await health(text)).toEqual({
      timeout: 9,
      timeouts: { '50-web': 120, remote: 20 },
      required: [
        { name: 'default-route', kind: 'default-route' },
        { name: 'name-resolution', kind: 'name-resolution', host: 'updates.example.org' },
        { name: 'sshd', kind: 'sshd', address: '127.0.0.1', port: 22 },
        { name: 'service:nginx', kind: 'service', service: 'nginx' },
      ],
      wanted: [
        { name: 'remote', kind: 'remote', remote: 'https://updates.example.org/repo' },
        { name: 'sshd:2222', kind: 'sshd', address: '127.0.0.1', port: 2222 },
        { name: 'sshd:[::1]:22', kind: 'sshd', address: '::1', port: 22 },
        { name: 'name-resolution:example.net', kind: 'name-resolution', host: 'example.net' },
      ],
    });
  });

  it.each([
    'required = ["default-rout"]',
    'required = ["default-route:eth0"]',
    'required = ["service"]',
    'required = ["service:--version"]',
    'required = ["service:a b"]',
    'required = ["sshd:0"]',
    'required = ["sshd:65536"]',
    'required = ["sshd:example.org:22"]',
    'wanted = ["name-resolution:-x"]',
    'wanted = ["name-resolution:10.0.0.1"]',
    'wanted = [1]',
    'wanted = "remote"',
    'timeouts = { web = 0 }',
    'timeouts = 5',
    'wnated = []',
  ])('refuses %s', async (text) => {
    await codeOfAsync(() => health(text), 'INPUT_CONFIGURATION');
  });

  it('wants a host to look up where the remote has no name', async () => {
    for (const remote of ['/srv/repo', 'http://10.0.2.2/repo', 'http://[::1]/']) {
      const start = `remote = "${remote}"\nref = "web"\n[health]\n`;
      await codeOfAsync(() => health('wanted = ["name-resolution"]', start), 'INPUT_CONFIGURATION');
    }
  });
});

describe('a default route', () => {
  const route4 = (...lines: string[]) =>
    [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      ...lines,
    ]
      .map((line) => `${line}   \n`)
      .join('');

  it('of IPv4 is one that is up and leads somewhere', () => {
    const local = 'eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0';
    const way = 'eth0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0';
    expect(defaultRoute4(route4(way, local))).toBe('eth0');
    expect(defaultRoute4(route4(local))).toBeUndefined();
    expect(defaultRoute4(route4(way.replace('0003', '0002')))).toBeUndefined();
    expect(defaultRoute4(route4(way.replace('0003', '0203')))).toBeUndefined();
    // Half of the Internet, as some VPNs have it, is not all of it.
    expect(
      defaultRoute4(route4(way.replace(/00000000(?=\t0\t0\t0$)/, '00000080'))),
    ).toBeUndefined();
    expect(defaultRoute4('')).toBeUndefined();
  });

  it('of IPv6 is not the one on lo that every machine has', () => {
    const zero = '0'.repeat(32);
    const gateway = 'fe80000000000000000000000000000a'.slice(0, 32);
    const way = `${zero} 00 ${zero} 00 ${gateway} 00000400 00000001 00000000 00000003     eth0\n`;
    const refusing = `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo\n`;
    expect(defaultRoute6(refusing + way)).toBe('eth0');
    expect(defaultRoute6(refusing)).toBeUndefined();
  });
});

/** A network whose clock moves only when someone waits on it. */
function fakeNetwork(changes: Partial<Network>): Network {
  let now = 1000;
  return {
    lookUp: () => Promise.reject(new Error('not asked for')),
    readBanner: () => Promise.reject(new Error('not asked for')),
    reach: () => Promise.reject(new Error('not asked for')),
    elapsed: () => now,
    wait: async (seconds) => {
      now += seconds;
    },
    ...changes,
  };
}

describe('a built-in check', () => {
  const run = async (text: string, network: Network | undefined, status = 'started') => {
    const calls: (readonly [string, ProgramOptions | undefined])[] = [];
    const effects = {
      reboot: async () => {},
      lock: async () => ({ release: async () => {} }),
      runProgram: async (path: string, _seconds: number, options?: ProgramOptions) => {
        calls.push([path, options]);
        return { passed: status === 'started', detail: `exit 3:  * status: ${status}` };
      },
    };
    const machine = { files: nodeFileSystem, effects, network };
    const [check] = builtInChecks(machine, await health(text));
    return { result: await check?.run(), severity: check?.severity, calls };
  };

  it('looks again until what it wants is there', async () => {
    let looks = 0;
    const network = fakeNetwork({
      readBanner: async () => {
        looks += 1;
        if (looks < 5) throw new Error('ECONNREFUSED');
        return 'SSH-2.0-OpenSSH_9.7';
      },
    });
    const { result, severity } = await run('timeout = 9\nrequired = ["sshd"]', network);
    expect(result).toEqual({ passed: true, detail: 'SSH-2.0-OpenSSH_9.7' });
    expect([severity, looks]).toEqual(['required', 5]);
  });

  it('fails when its time is up, and tells what was wrong last', async () => {
    const network = fakeNetwork({ readBanner: async () => '220 mail ESMTP' });
    const { result, severity } = await run('timeout = 9\nwanted = ["sshd:25"]', network);
    expect(result).toEqual({
      passed: false,
      detail: '127.0.0.1, port 25, is no SSH server, for 9 s',
    });
    expect(severity).toBe('wanted');
  });

  it('never gives one look more time than is left', async () => {
    const limits: number[] = [];
    const network = fakeNetwork({});
    const lookUp = async (_host: string, seconds: number) => {
      limits.push(seconds);
      await network.wait(seconds);
      throw new Error('EAI_AGAIN');
    };
    const text = 'required = ["name-resolution"]\ntimeouts = { name-resolution = 7 }';
    const { result } = await run(text, { ...network, lookUp });
    expect(result).toMatchObject({ passed: false });
    expect(limits).toEqual([7]);
  });

  it('asks OpenRC for a service', async () => {
    const network = fakeNetwork({});
    const text = 'timeout = 2\nrequired = ["service:nginx"]';
    const { result, calls } = await run(text, network);
    expect(result).toEqual({ passed: true, detail: 'started' });
    expect(calls).toEqual([['rc-service', { parameters: ['nginx', 'status'] }]]);
    expect((await run(text, network, 'crashed')).result).toEqual({
      passed: false,
      detail: 'it is not started (exit 3:  * status: crashed), for 2 s',
    });
  });

  it('is required when it is listed as both, and none is run on a disk image', async () => {
    const text = 'wanted = ["remote"]\nrequired = ["remote"]';
    const network = fakeNetwork({ reach: async () => {} });
    expect(await run(text, network)).toMatchObject({
      result: { passed: true },
      severity: 'required',
    });
    expect((await run(text, undefined)).result).toBeUndefined();
  });
});

describe('the network', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const serve = (answer: (socket: Socket) => void) =>
    new Promise<number>((resolve) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        answer(socket);
      });
      servers.push(server);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });

  it.each<[string, (socket: Socket) => void, string | RegExp]>([
    ['that says its banner', (socket) => socket.write('SSH-2.0-x\r\nmore'), 'SSH-2.0-x'],
    ['that says nothing', () => {}, /no answer within 1 s/],
    ['that hangs up', (socket) => socket.end(), /closed the connection/],
    ['that never ends its line', (socket) => socket.write('x'.repeat(5000)), /no line/],
  ])('reads from a server %s', async (_what, answer, expected) => {
    const banner = nodeNetwork.readBanner('127.0.0.1', await serve(answer), 1);
    if (typeof expected === 'string') expect(await banner).toBe(expected);
    else await expect(banner).rejects.toThrow(expected);
  });

  it('says that a repository is there, is not, or does not answer', async () => {
    await expect(nodeNetwork.reach('/nowhere/repo', 5)).rejects.toMatchObject({
      code: 'NOT_FOUND_REMOTE_REPOSITORY',
    });
    const silent = await serve(() => {});
    const asked = nodeNetwork.reach(`http://127.0.0.1:${silent}/`, 1);
    await expect(asked).rejects.toThrow('no answer within 1 s');
  });

  it('resolves names as every program does', async () => {
    await nodeNetwork.lookUp('localhost', 30);
    await expect(nodeNetwork.lookUp('no-such-host.invalid', 30)).rejects.toThrow();
  });
});
