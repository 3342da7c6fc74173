/**
 * What a path under /etc is to an upgrade (docs/etc.md has the table):
 * - `volatile`: programs write it, not the administrator. Neither recorded nor merged;
 * - `machine`: only this machine has it. Recorded, never merged: what was changed stays, and is no conflict;
 * - `accounts`: merged by entry;
 * - `trust`: pine's own keys, merged as a set in which a revocation wins;
 * - `ordinary`: everything else.
 */
export type PathKind = 'volatile' | 'machine' | 'accounts' | 'trust' | 'ordinary';

const patterns: readonly (readonly [PathKind, readonly RegExp[]])[] = [
  [
    'volatile',
    [
      /^resolv\.conf(\..*)?$/,
      /^mtab$/,
      /^adjtime$/,
      /^blkid\.tab(\.old)?$/,
      /^ld\.so\.cache$/,
      /^\.(pwd\.lock|updated)$/,
      // What tools leave beside the account files that they have changed.
      /^(passwd|group|shadow|gshadow|subuid|subgid)(-|\+|\.lock|\.org)$/,
      /^(lvm|apk)\/cache(\/|$)/,
      /^udev\/hwdb\.bin$/,
      /^(.*\/)?\.git(\/|$)/,
    ],
  ],
  [
    'machine',
    [
      /^(machine-id|hostid|hostname|fstab|crypttab|mdadm\.conf)$/,
      /^network\/interfaces(\.d(\/|$)|$)/,
      /^ssh\/ssh_host_/,
      /^dropbear\/dropbear_[a-z0-9]+_host_key$/,
      /^iscsi\/initiatorname\.iscsi$/,
    ],
  ],
  ['accounts', [/^(passwd|group|shadow|gshadow)$/]],
  ['trust', [/^pine\/keys\/[^/]+\.(pub|revoked)$/]],
];

/** Tells what a path relative to /etc (`ssh/sshd_config`) is. */
export function pathKind(path: string): PathKind {
  const found = patterns.find(([, expressions]) =>
    expressions.some((expression) => expression.test(path)),
  );
  return found?.[0] ?? 'ordinary';
}

/** What is appended to the name of a file to lay the new release's version beside it. */
export const besideSuffix = '.pine-new';
