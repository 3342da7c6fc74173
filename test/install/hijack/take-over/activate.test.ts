import { expect, test } from 'vitest';
import { refuseStaged } from '../../../../src/install/hijack/take-over/activate.ts';
import { encodeStage } from '../../../../src/install/hijack/take-over/installer-entry.ts';
import { recordedHost } from '../support/recorded-host.ts';

/** What a second run says of a staged take-over with so many starts, and whether kexec has loaded a kernel. */
function second(starts: number, loaded: '0' | '1', reason = '') {
  const block = encodeStage({ stage: 'staged', starts }).toString();
  return refuseStaged(
    recordedHost('debian-vps', {
      files: {
        '/boot/grub/custom.cfg': '# Written by pinectl hijack: x\n',
        '/boot/pine-hijack/env': block.replace(/#{40}/, reason),
        '/sys/kernel/kexec_loaded': `${loaded}\n`,
      },
    }),
  );
}
const staged = (details: object) => ({ code: 'STATE_HIJACK_STAGED', details });

test('a second run is refused, and told what starts the first', async () => {
  await expect(second(1, '0')).rejects.toMatchObject(
    staged({ remedy: expect.stringMatching(/^reboot to start it, or .*--cancel/) }),
  );
  await expect(second(0, '1')).rejects.toMatchObject(
    staged({ remedy: expect.stringMatching(/^`systemctl kexec` to start it, or .*--cancel/) }),
  );
});

test('one that has no start left is to be taken away, and says why it ended', async () => {
  await expect(second(0, '0')).rejects.toMatchObject(
    staged({
      found: expect.stringContaining('(it was started, or forgotten by a boot)'),
      remedy: expect.stringMatching(/--cancel`, and stage it again$/),
    }),
  );
  await expect(second(0, '0', 'pine_reason=slot is damaged\n')).rejects.toMatchObject(
    staged({ found: expect.stringContaining('(slot is damaged)') }),
  );
});

test('with none staged, or with a custom.cfg of another, nothing is refused', async () => {
  await expect(refuseStaged(recordedHost('debian-vps'))).resolves.toBeUndefined();
  const files = { '/boot/grub/custom.cfg': 'set x=y\n' };
  await expect(refuseStaged(recordedHost('debian-vps', { files }))).resolves.toBeUndefined();
});
