import { PineError } from '../../error.ts';
import type { Host } from './host.ts';

/** Whether another kernel can be loaded into the memory of this one. */
export interface KexecFacts {
  /** Whether Debian's `kexec` is there. */
  readonly program: boolean;
  /** Whether the kernel was built with it. */
  readonly supported: boolean;
  /** `kernel.kexec_load_disabled`, which only a reboot takes back. */
  readonly disabled: boolean;
  /** The kernel's lockdown, as `integrity`: it loads signed kernels only then. `none` where there is none. */
  readonly lockdown: string;
}

export async function readKexec(host: Host): Promise<KexecFacts> {
  const text = async (path: string) => ((await host.readText(path)) ?? '').trim();
  // `none [integrity] confidentiality`: the one that counts is in brackets.
  const lockdown = /\[(\w+)\]/.exec(await text('/sys/kernel/security/lockdown'))?.[1];
  return {
    program: (await host.report('kexec', ['--version'])) !== undefined,
    supported: await host.exists('/sys/kernel/kexec_loaded'),
    disabled: (await text('/proc/sys/kernel/kexec_load_disabled')) === '1',
    lockdown: lockdown ?? 'none',
  };
}

/** Why the installer can't be entered by kexec; the other road may be open. */
export function refuseKexec({ program, supported, disabled, lockdown }: KexecFacts): PineError[] {
  if (!program) {
    return [
      new PineError('PROGRAM_MISSING', 'the program kexec is missing', {
        expected: 'kexec in PATH',
        found: 'no such program',
        where: 'this machine',
        remedy: 'run `apt-get install kexec-tools`, or leave --kexec out',
      }),
    ];
  }
  const found = [
    ...(supported ? [] : ['a kernel without kexec']),
    ...(disabled ? ['kernel.kexec_load_disabled = 1'] : []),
    ...(lockdown === 'none' ? [] : [`lockdown: ${lockdown}`]),
  ];
  if (found.length === 0) return [];
  return [
    new PineError('STATE_KEXEC', 'this kernel does not load another one', {
      expected: 'a kernel with kexec, which is not switched off, without lockdown',
      found: found.join(', '),
      where: 'the kernel that runs',
      remedy:
        'leave --kexec out: GRUB starts the installer; or see /etc/sysctl.d, and reboot without what switches it off',
    }),
  ];
}
