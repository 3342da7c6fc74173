import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeChoice } from '../../src/boot/grub/choice-codec.ts';
import { encodeDeployment } from '../../src/boot/grub/deployment-codec.ts';
import { pineCfg } from '../../src/boot/grub/pine-cfg.ts';
import { missing } from '../support/requirements.ts';
import { encodeGrubenv } from './support/grubenv-conditions.ts';
import { makeSlotImage, wholeBootFolder } from './support/slot-image.ts';
import { talkingKernel } from './support/talking-kernel.ts';
import { deploymentOf, TinyMachine } from './support/tiny-machine.ts';

/** A slot with the real pine.cfg, or one that a test changed, and a kernel that tells its command line. */
function slot(script: string): Promise<Buffer> {
  const vmlinuz = talkingKernel();
  const list = (bytes: Buffer | string, name: string) =>
    `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`;
  return makeSlotImage({
    ...wholeBootFolder('kernel'),
    ...{ vmlinuz, 'vmlinuz.sha256': list(vmlinuz, 'vmlinuz') },
    ...{ 'pine.cfg': script, 'pine.cfg.sha256': list(script, 'pine.cfg') },
  });
}

const unable = missing('grub', 'qemu', 'disk', 'squashfs') !== undefined;
describe.skipIf(unable)('the slot’s pine.cfg', () => {
  let machine: TinyMachine;
  let whole: Buffer;
  let withoutInitramfs: Buffer;
  beforeAll(async () => {
    machine = await TinyMachine.make();
    whole = await slot(pineCfg());
    withoutInitramfs = await slot(pineCfg().replace('boot/initramfs', 'boot/none'));
  });
  afterAll(() => machine?.remove());

  const commandLine = (console: string) => /^BOOT_IMAGE=\S+ (.*)$/m.exec(console)?.[1];

  it('starts the kernel with the command line of docs/architecture.md', async () => {
    const answer = await machine.boot(async (disk) => {
      await disk.writeSlot('a', whole);
      await disk.writeGrubenv(encodeChoice({ order: [1] }));
    });
    expect(commandLine(answer.console), answer.console).toBe(
      `pine.deployment=d1 pine.slot=a pine.partuuid=${machine.partuuid('root-a')} pine.choice=order pine.block=1 pine.skipped= console=ttyS0 block1 panic=30`,
    );
  });

  it('makes a trial panic and reboot where a confirmed system would not', async () => {
    const answer = await machine.boot(async (disk) => {
      await disk.writeSlot('b', whole);
      await disk.writeGrubenv(encodeChoice({ order: [4, 2, 1], trial: { block: 2, tries: 1 } }));
      await disk.writeBootFile('grub/deployment-4.env', Buffer.alloc(4096));
    });
    expect(commandLine(answer.console), answer.console).toBe(
      `pine.deployment=d2 pine.slot=b pine.partuuid=${machine.partuuid('root-b')} pine.choice=trial pine.block=2 pine.skipped=4:block console=ttyS0 block2 panic=10 oops=panic softlockup_panic=1 hung_task_panic=1`,
    );
  });

  it('tells an emergency, and passes arguments on as they are', async () => {
    const kernelArguments = `root=/dev/x!#%&()+,-./:;<=>@^_{|}~ ${'long '.repeat(280)}end`;
    const answer = await machine.boot(async (disk) => {
      await disk.writeSlot('a', whole);
      await disk.writeBootFile(
        'grub/deployment-1.env',
        encodeDeployment({ ...deploymentOf(1), kernelArguments }),
      );
      await disk.writeGrubenv(encodeGrubenv('zeros'));
    });
    expect(commandLine(answer.console), answer.console).toBe(
      `pine.deployment=d1 pine.slot=a pine.partuuid=${machine.partuuid('root-a')} pine.choice=emergency pine.block=1 pine.skipped=choice ${kernelArguments} panic=30`,
    );
  });

  it('does not start a kernel whose initramfs did not load', async () => {
    const answer = await machine.boot(async (disk) => {
      await disk.writeSlot('b', withoutInitramfs);
      await disk.writeSlot('a', whole);
      await disk.writeGrubenv(encodeChoice({ order: [2, 1] }));
    });
    expect(answer.console).toMatch(
      /^BOOT_IMAGE=\S+ pine.deployment=d1 pine.slot=a .* pine.skipped=2:load /m,
    );
  });
});
