import type { OldSystemWish } from '../boot/old-system-wish.ts';
import type { Inspection } from '../install/hijack/inspect.ts';
import {
  writeInterfaces,
  writeMacTab,
  writeResolvConf,
} from '../install/hijack/network/interfaces-file.ts';

/** What `hijack --check --json` prints of a machine: everything that was found out, and what /etc will have of it. */
export function inspectionToJson(
  { facts, commit, preflight }: Inspection,
  oldSystem: OldSystemWish | undefined,
) {
  const { network } = facts.network;
  const files = {
    '/etc/network/interfaces': writeInterfaces(network),
    '/etc/mactab': writeMacTab(network),
    '/etc/resolv.conf': writeResolvConf(network),
  };
  const possible = preflight.refusals.length === 0;
  return { possible, ...preflight, oldSystem: oldSystem ?? null, commit, facts, files };
}
