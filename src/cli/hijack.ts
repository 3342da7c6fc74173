import type { Command } from 'commander';
import { collect } from './commit-options.ts';
import type { ConfirmationOptions } from './hijack-confirmation.ts';
import { type OldSystemOptions, runOldSystem } from './hijack-old-system.ts';
import type { WishOptions } from './hijack-wish.ts';
import { parseDuration } from './parse-duration.ts';

interface Options extends OldSystemOptions, ConfirmationOptions, WishOptions {
  readonly check?: boolean;
  readonly cancel?: boolean;
  readonly status?: boolean;
  readonly confirm?: boolean;
}

/** Adds the options of `hijack`. */
export function define(command: Command): void {
  command
    .option('--check', 'look whether this machine can be taken over, and change nothing')
    .option('--cancel', 'take away what was staged, as long as it was not started')
    .option('--status', 'how far the take-over of this machine is, or why it stopped')
    .option('--confirm', 'on the new system: confirm its first trial without a login over SSH')
    .option(
      '--confirm-after <duration>',
      'confirm the first trial without a login, so long after its health checks: 10m, 0',
      parseDuration,
    )
    .option(
      '--login-within <duration>',
      'what each of the two tries of the first trial takes at most (default: 30m)',
      parseDuration,
    )
    .option('--remote <url>', 'the repository: a URL or a path')
    .option('--ref <ref>', 'the ref that the machine is to follow')
    .option('--key <file>', 'a .pub file that the commit must be signed with (repeatable)', collect)
    .option('--layout <file>', "the layout.cfg for pine's partitions (default: one that fits)")
    .option('--disk <device>', 'the disk, to be sure: any but the one that runs is refused')
    .option('--kexec', 'load the installer into memory: `systemctl kexec` starts it, not a reboot')
    .option('--undo', 'on a machine that was taken over: the next boots start the old system')
    .option('--redo', 'takes that back; on the old system: the next boots start pine')
    .option('--keep-data', "leave the old system's files under /data/old-root, read-only")
    .option(
      '--wipe',
      'erase the old system, once the machine is confirmed; its room is /data/spare',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Fetches and verifies the commit, builds all that will be written, and has GRUB start the installer at
the next boot, once: reboot when it is done. Until then --cancel takes it away. So far with the root on a
partition of its own, and BIOS, or UEFI without Secure Boot; whatever is not known is refused before
anything is written.
With --kexec no boot loader starts the installer, and no firmware: for a GRUB that can't save, or a slow start.
It needs Debian's kexec-tools.
The new system is confirmed when its health checks have passed and somebody has logged in over SSH. If nobody
does in both tries, the old system comes back.
--keep-data and --wipe may be given with a take-over, or later on the machine that came of it.
With --check and without a commit nothing is said of its size and drivers. The exit status is 0 when
nothing is in the way.

Examples:
  ./pinectl-linux-x64 hijack --check
  ./pinectl-linux-x64 hijack --check --remote https://example.org/repo --ref alpine/x86_64/web --key release.pub
  ./pinectl-linux-x64 hijack --check --json | jq .refusals
  ./pinectl-linux-x64 hijack --remote https://example.org/repo --ref alpine/x86_64/web --key release.pub && reboot
  ./pinectl-linux-x64 hijack --kexec --remote https://example.org/repo --ref alpine/x86_64/web --key release.pub
  systemctl kexec
  ./pinectl-linux-x64 hijack --status                     why the old system came up again
  pinectl hijack --confirm                                on the new system, at its console
  pinectl hijack --undo && reboot       on the pine machine: back to Debian, while it is kept
  ./pinectl-linux-x64 hijack --redo     on that Debian: pine again, from the next boot on
  pinectl hijack --wipe                 on the pine machine: nothing is left of Debian

More: docs/hijack.md`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const isTakeOver = options.check === true || options.remote !== undefined;
  if (await runOldSystem(options, isTakeOver)) return;
  const afterwards = () => import('./hijack-afterwards.ts');
  if (options.cancel === true) return (await afterwards()).cancel(options.json);
  if (options.status === true) return (await afterwards()).tellStatus(options.json);
  if (options.confirm === true) return (await afterwards()).confirm(options.json);
  const { check, takeOver } = await import('./hijack-take-over.ts');
  return options.check === true ? check(options) : takeOver(options);
}
