import { describe, expect, inject, it } from 'vitest';
import { Lab } from './harness/lab.ts';

const { folder = '', skipped } = inject('e2e');

/** A new system that does not come up, and what `pinectl status` says of it afterwards. */
interface Case {
  /** The ref with the broken system. */
  readonly ref: string;
  readonly what: string;
  readonly tries: number;
  readonly watchdog?: boolean;
  /** What the console shows while it fails. */
  readonly seen: RegExp;
  readonly reason: RegExp;
}

const cases: readonly Case[] = [
  {
    ref: 'panic',
    what: '(a) has no init that could be run',
    tries: 2,
    seen: /Kernel panic/,
    reason: /initramfs handed over/,
  },
  {
    ref: 'unhealthy',
    what: '(c) fails a health check',
    tries: 2,
    seen: /50-web/,
    reason: /health 50-web failed: exit 3.*the web server is gone/,
  },
  {
    ref: 'dead',
    what: '(d) hangs with every process killed, on a machine with a watchdog',
    tries: 1,
    watchdog: true,
    seen: /test: everything is killed/,
    reason: /watchdog/,
  },
  {
    ref: 'hang',
    what: '(f) hangs, on a machine without a watchdog',
    tries: 1,
    seen: /test: init hangs/,
    reason: /deadline/,
  },
];

describe.skipIf(skipped !== undefined)('a machine whose new system', () => {
  it.each(cases)('$what comes back by itself', async (row) => {
    const { ref, tries, watchdog = false } = row;
    const from = ref === 'panic' ? 'v1.img' : `armed-${ref}.img`;
    await using lab = await Lab.start(folder, ref, { from, watchdog });
    const { machine } = lab;
    if (ref === 'panic') {
      // The whole road once: the machine itself upgrades to what then fails.
      await machine.waitForBoot();
      await lab.follow(ref);
      machine.send('pinectl upgrade');
    }
    // One uninterrupted run: QEMU is not touched until the old system is up again.
    await machine.waitForBoot({ seconds: 1200, slot: 'a' });

    const { running, history, held } = await lab.status();
    expect(running).toMatchObject({ slot: 'a', choice: 'order', data: 'ok' });
    expect(history.at(-1)).toMatchObject({
      kind: 'fell-back',
      reason: expect.stringMatching(row.reason),
    });
    expect(held).toHaveLength(1);
    expect(machine.console.match(new RegExp(row.seen, 'g'))?.length).toBeGreaterThanOrEqual(tries);

    // Whoever logs in is told, and so are the hooks of the system that is back.
    const banner = await machine.check('sh -ic ". /etc/profile.d/pine.sh" 2>/dev/null');
    expect(banner).toMatch(/^pine: fell back from /m);
    expect(await machine.check('cat /var/hooks.log')).toBe('after-rollback b');

    // The same commit is not tried again by itself, whatever was wrong with it.
    if (ref !== 'unhealthy') return;
    await lab.follow(ref);
    const again = await machine.run('pinectl upgrade');
    expect(again).toMatchObject({ status: 6 });
    expect(again.output).toMatch(/^STATE_HELD/m);
  });
});
