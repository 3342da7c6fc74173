import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version 2 of the kernel's ACL format: user::rwx user:1000:rwx group::r-x mask::rwx other::r-x. */
const acl =
  '0x0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff';
const netRaw = '0x0100000200200000000000000000000000000000';

/** Fills a folder with everything that OSTree can hold and few tools expect. Needs root and setfattr. */
export function makeOddTree(root: string, entries = 10_000): void {
  const path = (name: string) => join(root, name);
  const file = (name: string, mode = 0o644, content: string | Buffer = name) => {
    writeFileSync(path(name), content);
    chmodSync(path(name), mode);
  };
  const xattr = (name: string, key: string, value: string) =>
    execFileSync('setfattr', ['-h', '-n', key, '-v', value, '--', path(name)]);

  mkdirSync(root);
  file('setuid', 0o4755);
  file('setgid', 0o2755);
  file('nobody-may', 0o000);
  file('empty', 0o644, '');
  file('three-megabytes', 0o644, Buffer.alloc(3_000_001, 'pine '));
  mkdirSync(path('sticky'));
  chmodSync(path('sticky'), 0o1777);
  mkdirSync(path('closed'));
  file('closed/inside');
  chmodSync(path('closed'), 0o000);
  mkdirSync(path('empty-directory'));

  file('large-ids');
  chownSync(path('large-ids'), 70_000, 4_294_967_294);
  mkdirSync(path('large-ids-directory'));
  chownSync(path('large-ids-directory'), 1_000_000_000, 65_536);

  file('capable', 0o755);
  xattr('capable', 'security.capability', netRaw);
  file('attributes');
  xattr('attributes', 'user.text', 'value');
  xattr('attributes', 'user.binary', '0x00ff0a0d5c');
  xattr('attributes', 'trusted.secret', 'root only');
  xattr('attributes', 'user.zero', '');
  xattr('attributes', 'user.odd=\n\\name😀', '0x01');
  file('only-zero');
  xattr('only-zero', 'user.zero', '');
  file('with-acl');
  xattr('with-acl', 'system.posix_acl_access', acl);
  mkdirSync(path('default-acl'));
  file('default-acl/child', 0o640);
  xattr('default-acl', 'system.posix_acl_default', acl);
  symlinkSync('nowhere', path('link-with-attribute'));
  xattr('link-with-attribute', 'trusted.link', 'on a link');

  mkdirSync(path('names'));
  const names = ['new\nline', 'carriage\rreturn', 'back\\slash', 'back\\012slash', ' space ', '-n'];
  // Sorted by UTF-16 the emoji comes first, by bytes the ligature does.
  names.push(
    '# file: x',
    'a=b',
    "quote'",
    '"',
    '😀',
    'ﬀ',
    'é',
    'e\u0301',
    '\u0001',
    'x'.repeat(255),
  );
  for (const name of names) {
    file(`names/${name}`);
    if (name.length < 200) xattr(`names/${name}`, 'user.name', name);
  }
  mkdirSync(path(`names/${'ü'.repeat(127)}`));
  symlinkSync('t'.repeat(4095), path('longest-link'));
  symlinkSync('../\n\\😀', path('odd-link'));
  linkSync(path('three-megabytes'), path('hard-link'));

  mkdirSync(path('many'));
  for (let index = 0; index < entries; index += 1) writeFileSync(path(`many/${index}`), '');
  xattr('.', 'user.root', 'of the tree');
  chmodSync(root, 0o751);
}
