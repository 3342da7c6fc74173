import { rmSync } from 'node:fs';
import { ipv6Network } from './debian-network.ts';
import { readBytes, writeBytes } from './disk-bytes.ts';
import { copyDisk } from './lab.ts';
import { Machine } from './machine.ts';
import type { RecordedTakeOver } from './recorded-take-over.ts';
import { sectorSize } from './write-log.ts';

/** Ways to restart: in order, at once after a sync, and as a reset does it. */
export const restarts = ['systemctl reboot', 'reboot -f', 'echo b >/proc/sysrq-trigger'] as const;

/** Files come and go beside GRUB's and the installer's, others are written and synced, and all processors work. */
const load = `cat >/root/load <<'END'
while :; do
  dd if=/dev/urandom of=/boot/load.$1 bs=64k count=32 conv=fsync
  mkdir /boot/grub/load.$1 && cp /boot/grub/grub.cfg /boot/grub/load.$1/a && mv /boot/grub/load.$1/a /boot/pine-hijack/load.$1
  rm -r /boot/grub/load.$1 /boot/pine-hijack/load.$1
done
END
for i in 1 2 3; do systemd-run -q bash /root/load $i; done
systemd-run -q sh -c 'while :; do :; done'
sleep 10`;

/**
 * Starts Debian with a take-over that is prepared, as if it had never been shut down since, puts a load on it and
 * restarts it. Resolves when the installer has come; rejects when it does not.
 */
export async function arriveUnderLoad(
  { handedOver, phases }: RecordedTakeOver,
  disk: string,
  restart: (typeof restarts)[number],
): Promise<string> {
  await copyDisk(handedOver, disk);
  const start = phases.stageSector * sectorSize;
  const staged = readBytes(disk, { start, size: sectorSize });
  const used = Buffer.from(staged.toString('latin1').replace('starts=1', 'starts=0'), 'latin1');
  if (used.equals(staged)) throw new Error('the take-over is not staged');
  writeBytes(disk, start, used); // so that GRUB starts Debian
  rmSync(`${disk}.console`, { force: true });
  await using machine = await Machine.start({ disk, memory: 512, ipv6: ipv6Network });
  await machine.waitForBoot({ seconds: 400, slot: '' });
  const block = `echo ${staged.toString('base64')} | base64 -d`;
  const env = '/boot/pine-hijack/env';
  await machine.check(
    `${block} | dd of=${env} conv=notrunc,fsync 2>/dev/null; grep starts=1 ${env}`,
  );
  await machine.check(load);
  machine.send(restart);
  await machine.waitForConsole(/pine-hijack: \d+ s: the disk is/, 600);
  return `the installer, after ${restart}`;
}
