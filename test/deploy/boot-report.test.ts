import { describe, expect, it } from 'vitest';
import { parseAttempts } from '../../src/deploy/attempts.ts';
import { describeEarlier, explainFallBack } from '../../src/deploy/fall-back.ts';
import { parseBootReport, parseSkips } from '../../src/deploy/running.ts';
import { codeOf } from '../support/code-of.ts';

const report = `deployment=abc.0
slot=b
block=2
choice=trial
skipped=3:hash,1:tries
partuuid=1234
disk=vda
root_device=/dev/vda4
boot_device=/dev/vda3
data_device=/dev/vda6
data=repaired
data_detail=a = b, fixed
watchdog=i6300ESB timer
watchdog_fired=1
deadline=300
`;

describe('/run/pine/boot', () => {
  it('says what runs', () => {
    expect(parseBootReport(report, '/run/pine/boot')).toEqual({
      running: {
        deployment: 'abc.0',
        slot: 'b',
        block: 2,
        choice: 'trial',
        skipped: [
          { block: 3, why: 'hash' },
          { block: 1, why: 'tries' },
        ],
        data: 'repaired',
        dataDetail: 'a = b, fixed',
        deadline: 300,
        watchdogFired: true,
      },
      disk: 'vda',
      bootDevice: '/dev/vda3',
      dataDevice: '/dev/vda6',
    });
  });

  it('says why the old system was not started', () => {
    const text = report.replace('skipped=', 'skipped=previous:missing,');
    expect(parseBootReport(text, 'x').running).toMatchObject({
      previousSkipped: 'missing',
      skipped: [
        { block: 3, why: 'hash' },
        { block: 1, why: 'tries' },
      ],
    });
  });

  it('may lack a block, after an emergency', () => {
    const text = report.replace('block=2', 'block=').replace('trial', 'emergency');
    expect(parseBootReport(text, 'x').running).toMatchObject({
      block: undefined,
      choice: 'emergency',
    });
  });

  it('is refused when what matters is missing or odd', () => {
    for (const [from, to] of [
      ['slot=b', 'slot=c'],
      ['deployment=abc.0', 'deployment=../../etc'],
      ['choice=trial', ''],
      ['disk=vda', 'disk=../vda'],
      ['data=repaired', 'data=perhaps'],
      ['block=2', 'block=7'],
    ] as const) {
      const text = report.replace(from, to);
      codeOf(() => parseBootReport(text, 'x'), 'CORRUPT_BOOT_REPORT');
    }
  });

  it('takes skips with commas or blanks, and leaves out what has no block', () => {
    expect(parseSkips('choice,2:hash a:load 9:x 3:tries')).toEqual([
      { block: 2, why: 'hash' },
      { block: 3, why: 'tries' },
    ]);
    expect(parseSkips('')).toEqual([]);
  });
});

describe('a trial that was confirmed', () => {
  it.each([
    ['1 initramfs\n2 handed-over\n3 userspace\n', []],
    ['', []],
    [
      '1 initramfs\n2 handed-over\n9 initramfs\n10 handed-over\n11 userspace\n',
      ['an attempt before: it stopped: the initramfs handed over, boot-complete did not begin'],
    ],
    [
      '1 initramfs\n2 userspace\n3 health web failed: exit 1\n4 initramfs\n5 userspace\n',
      ['an attempt before: health web failed: exit 1'],
    ],
  ])('tells from the log %j how attempts before it ended', (log, ends) => {
    expect(describeEarlier(parseAttempts(Buffer.from(log)))).toEqual(ends);
  });
});

describe('why a trial did not last', () => {
  const explain = (log: string, changes: Partial<Parameters<typeof explainFallBack>[0]> = {}) =>
    explainFallBack({
      running: { skipped: [], watchdogFired: false },
      block: 2,
      tries: 0,
      attempts: parseAttempts(Buffer.from(log)),
      ...changes,
    });
  const skipped = (why: string) => ({
    running: { skipped: [{ block: 2, why }], watchdogFired: false },
    tries: 1,
  });

  it.each([
    ['', /^nothing is on record of it: it ended before .* data partition; no tries were left$/],
    ['1 initramfs\n', /started and did not hand over/],
    ['1 initramfs\n2 initramfs failed: no root\n', /^it stopped: the initramfs gave up, no root;/],
    ['1 initramfs\n2 handed-over\n', /handed over, boot-complete did not begin/],
    ['1 initramfs\n2 handed-over\n3 userspace\n', /userspace came up/],
    ['1 initramfs\n2 handed-over\n9 deadline\n', /not confirmed before its deadline/],
    [
      '1 userspace\n2 health web failed: exit 3: gone\n3 initramfs\n',
      /^health web failed: exit 3: gone; the last attempt: it stopped: the initramfs started/,
    ],
    // Twice the same end is told once.
    ['1 initramfs\n2 handed-over\n3 initramfs\n4 handed-over\n', /^it stopped: [^;]*; no tries/],
    // What says most comes first, whichever attempt it was in.
    [
      '1 initramfs\n2 handed-over\n3 userspace\n9 deadline\n20 initramfs\n21 handed-over\n',
      /^it was not confirmed .* \(userspace came up.*; the last attempt: it stopped: .* handed over,/,
    ],
    ['1 initramfs\n2 hand\0\xff', /did not hand over/],
  ])('from the log %j', (log, reason) => expect(explain(log)).toMatch(reason));

  it('from what the boot loader skipped, and the watchdog', () => {
    expect(explain('', skipped('hash'))).toMatch(/^its kernel.* did not match their hashes$/);
    expect(explain('', skipped('load'))).toMatch(/could not load/);
    expect(explain('', skipped('save'))).toMatch(/could not count down/);
    expect(explain('', skipped('block'))).toMatch(/argument block could not be read/);
    expect(explain('1 handed-over\n', skipped('hash'))).toMatch(
      /hashes; before that: .*handed over/,
    );
    const panic = 'Fatal exception in interrupt';
    expect(explain('1 initramfs\n2 handed-over\n', { panic })).toMatch(
      /^it stopped: .*; the kernel said: Fatal exception in interrupt; no tries were left$/,
    );
    const running = { skipped: [{ block: 2, why: 'tries' }], watchdogFired: true };
    expect(explain('1 handed-over\n', { running })).toMatch(
      /handed over.*watchdog reset.*no tries/,
    );
  });
});
