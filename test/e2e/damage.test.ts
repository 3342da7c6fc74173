import { describe, expect, inject, it } from 'vitest';
import { isFullRun } from './harness/debian-machine.ts';
import { type Place, writeBytes } from './harness/disk-bytes.ts';
import { Lab } from './harness/lab.ts';
import { SlotImage } from './harness/slot-image.ts';

const { folder = '', skipped } = inject('e2e');

/** What is done to the new slot after it was verified and armed, before the machine starts from it. */
interface Case {
  readonly what: string;
  readonly place: (image: SlotImage) => Place;
  /** The new bytes; zeros if not given. */
  readonly fill?: (size: number) => Uint8Array;
}

const sector = (place: Place, which: 'first' | 'middle' | 'last'): Place => {
  const sectors = Math.ceil(place.size / 512);
  const index = { first: 0, middle: Math.floor(sectors / 2), last: sectors - 1 }[which];
  return { start: place.start + index * 512, size: Math.min(512, place.size - index * 512) };
};

const cases: readonly Case[] = [
  ...(['first', 'middle', 'last'] as const).map((which) => ({
    what: `the kernel's ${which} sector zeroed`,
    place: (image: SlotImage) => sector(image.file('boot/vmlinuz'), which),
  })),
  {
    what: "the initramfs' middle sector zeroed",
    place: (image) => sector(image.file('boot/initramfs'), 'middle'),
  },
  {
    what: "the kernel's hash list empty",
    place: (image) => image.sizeField('boot/vmlinuz.sha256'),
  },
  {
    what: "the initramfs' hash list zeroed",
    place: (image) => image.file('boot/initramfs.sha256'),
  },
  {
    what: "the GRUB script's hash list cut at the end of its only line",
    place: (image) => image.sizeField('boot/pine.cfg.sha256'),
  },
  {
    what: "the kernel's hash list cut after half a line",
    place: (image) => image.sizeField('boot/vmlinuz.sha256'),
    fill: () => new Uint8Array([40, 0, 0, 0]),
  },
  { what: 'the table of inodes zeroed', place: (image) => image.inodeTable },
  {
    what: 'the table of inodes full of ones',
    place: (image) => image.inodeTable,
    fill: (size) => Buffer.alloc(size, 0xff),
  },
  { what: 'the superblock zeroed', place: (image) => image.superblock },
];

/**
 * From the kernel's command line on all of them go the same way. The first two of a kind go to its end, of a file and of
 * the file system, the others as far as GRUB decides; PINE_FULL=1 lets all of them go on.
 */
const goesOn = ({ what }: Case): boolean =>
  isFullRun || /kernel's first sector|superblock/.test(what);

describe.skipIf(skipped !== undefined)('(b) a new slot that was damaged after it was armed', () => {
  it.each(cases)('with $what is not started', async (row) => {
    const { what, place, fill = Buffer.alloc } = row;
    const name = `damage-${cases.indexOf(row)}`;
    await using lab = await Lab.start(folder, name, { from: 'armed-server.img' }, (disk) => {
      const { start, size } = place(new SlotImage(disk, 'b'));
      writeBytes(disk, start, fill(size));
    });
    const { machine } = lab;
    // GRUB notices it at the first attempt: nothing of the new slot has run.
    await machine.waitForConsole(/Command line: .* pine\.slot=[^\n]*\n/);
    expect(machine.console).toMatch(/ pine\.slot=a .*pine\.choice=order .*pine\.skipped=2:hash /);
    if (goesOn(row)) await machine.waitForBoot();
    expect(machine.console.match(/Linux version/g)).toHaveLength(1);
    if (!goesOn(row)) return;
    const { running, history, held } = await lab.status();
    expect(running).toMatchObject({ slot: 'a', choice: 'order', data: 'ok' });
    expect(history.at(-1)).toMatchObject({
      kind: 'fell-back',
      reason: expect.stringMatching(/did not match their hashes|could not load/),
    });
    expect(held).toHaveLength(1);
    if (what !== cases[0]?.what) return;
    // What is held is not tried again, whatever it was that damaged it.
    await lab.follow('server');
    expect((await machine.run('pinectl upgrade')).output).toMatch(/^STATE_HELD/m);
  });
});
