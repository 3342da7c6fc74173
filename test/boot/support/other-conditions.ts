import { rm, writeFile } from 'node:fs/promises';
import { emptyDeployment } from '../../../src/boot/grub/deployment-codec.ts';
import { encodeEnvironmentBlock } from '../../../src/boot/grub/environment-block.ts';
import { runProgram } from '../../../src/install/program.ts';
import type { QemuRun } from './qemu.ts';
import { noise } from './slot-conditions.ts';
import { previousPlace } from './taken-over.ts';
import type { TinyDisk, TinyMachine } from './tiny-machine.ts';

interface Condition {
  readonly run?: Partial<QemuRun>;
  prepare?(disk: TinyDisk, machine: TinyMachine): Promise<void>;
}

const block = (variables: Readonly<Record<string, string>>) =>
  encodeEnvironmentBlock(Object.entries({ pine_commit: '2'.repeat(64), ...variables }), 4096);

const onBlock2 = (bytes: Buffer): Condition => ({
  prepare: (disk) => disk.writeBootFile('grub/deployment-2.env', bytes),
});

const inPrevious = (script: string): Condition => ({
  async prepare(disk) {
    const commands = `${disk.path}.commands`;
    await writeFile(commands, script);
    await runProgram('debugfs', [
      '-w',
      '-f',
      commands,
      `${disk.path}?offset=${previousPlace.start}`,
    ]);
    await rm(commands);
  },
});

const onSuperblock = (bytes: Buffer): Condition => ({
  prepare: (disk) => disk.write(previousPlace.start + 1024, bytes),
});

/** The same on a machine that was taken over: its old system, `previous`, is there, or not any more. */
const takenOver: Readonly<Record<string, Condition>> = {
  'taken over': {},
  'taken over, disk read-only': { run: { readOnly: true } },
  'taken over, old grub.cfg missing': inPrevious('rm /boot/grub/grub.cfg\n'),
  'taken over, old grub.cfg empty': inPrevious(
    'cd /boot/grub\nrm grub.cfg\nwrite /dev/null grub.cfg\n',
  ),
  'taken over, old superblock garbage': onSuperblock(noise(1024)),
  'taken over, wipe begun': onSuperblock(Buffer.alloc(512)),
  'taken over, wiped': {
    async prepare(disk) {
      await disk.write(previousPlace.start, Buffer.alloc(previousPlace.size));
      await runProgram('mkfs.ext4', [
        ...['-q', '-F', '-L', 'pine-spare', '-E', `offset=${previousPlace.start}`],
        ...[disk.path, `${previousPlace.size / 1024}k`],
      ]);
    },
  },
};

/** What is wrong, or different, apart from grubenv and the slots; in words of docs/boot-choice.md. */
const conditions: Readonly<Record<string, Condition>> = {
  '': {},
  UEFI: { run: { firmware: 'uefi' } },
  'disk read-only': { run: { readOnly: true } },
  'block 2 zeroed': onBlock2(Buffer.alloc(4096)),
  'block 2 garbage': onBlock2(noise(4096)),
  'block 2 of slot c': onBlock2(block({ pine_id: 'd2', pine_slot: 'c', pine_args: '' })),
  'block 2 with a hostile id': onBlock2(
    block({ pine_id: '"; reboot; "', pine_slot: 'b', pine_args: '' }),
  ),
  'block 2 sets pager and prefix': onBlock2(
    block({
      ...{ pager: '1', prefix: '(hd9)', pine_slot_b: 'gpt4', pine_choice: 'x', pine_trial: '2' },
      ...{ pine_id: 'd2', pine_slot: 'b', pine_args: 'console=ttyS0 block2' },
    }),
  ),
  'block 1 emptied': {
    prepare: (disk) => disk.writeBootFile('grub/deployment-1.env', emptyDeployment()),
  },
  'all blocks zeroed': {
    async prepare(disk) {
      for (const number of [1, 2, 3, 4]) {
        await disk.writeBootFile(`grub/deployment-${number}.env`, Buffer.alloc(4096));
      }
    },
  },
  'grub.cfg missing': {
    async prepare(disk, machine) {
      const place = `${disk.path}?offset=${machine.partition('boot').start}`;
      await runProgram('debugfs', ['-w', '-R', 'rm /grub/grub.cfg', place]);
    },
  },
  ...takenOver,
  'grub.cfg garbage': { prepare: (disk) => disk.writeBootFile('grub/grub.cfg', noise(4096)) },
};

/** The condition that a row names in its column "else". */
export function otherCondition(name: string): Condition {
  const condition = conditions[name];
  if (condition === undefined) throw new Error(`docs/boot-choice.md names an unknown: ${name}`);
  return condition;
}
