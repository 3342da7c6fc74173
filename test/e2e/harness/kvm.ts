import { accessSync, constants, readFileSync } from 'node:fs';

/** Whether machines run on the processor itself. /dev/kvm alone proves nothing: some virtual machines have it and can't run a guest. */
export function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return /^flags\s*:.* (vmx|svm) /m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}
