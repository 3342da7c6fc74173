import { execFileSync } from 'node:child_process';
import { chmodSync, lchownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { openSources } from '../../src/build/sources/open-sources.ts';
import { checkOut } from '../../src/repo/checkout.ts';
import { Repository } from '../../src/repo/repository.ts';
import { ostree, stockRepository } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  integer,
  letrec,
  oneof,
  option,
  record,
  uint8Array,
  uniqueArray,
} from '../support/fast-check.ts';
import { missing } from '../support/requirements.ts';

const timestamp = 1_700_000_000;
const runs = Number(process.env.PINE_ODD_TREES ?? 40);

interface Attribute {
  readonly key: string;
  readonly value: Uint8Array;
}

interface Common {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: readonly Attribute[];
}

type Item = Common &
  (
    | {
        readonly kind: 'file';
        readonly size: number;
        readonly acl: boolean;
        readonly capable: boolean;
      }
    | { readonly kind: 'link'; readonly target: string }
    | { readonly kind: 'folder'; readonly below: readonly Item[]; readonly acl: boolean }
    /** Folders in each other, so many. */
    | { readonly kind: 'deep'; readonly levels: number; readonly below: readonly Item[] }
  );

const letters = ['a', 'B', '0', '\n', '\\', '😀', 'ﬀ', 'é', 'e\u0301', ' ', '"', "'", '-'];
letters.push('=', '#', '.', '\u0001', '\u007f', '\r', '\t', '%', '*', '012', '~');
const word = (maxLength: number): Arbitrary<string> =>
  array(constantFrom(...letters), { minLength: 1, maxLength }).map((parts) => parts.join(''));
const name = oneof(
  { weight: 8, arbitrary: word(6) },
  constantFrom('x'.repeat(255), 'ü'.repeat(127), '...', 'y'.repeat(254)),
).filter((text) => text !== '.' && text !== '..');

const mode = oneof(
  constantFrom(0, 0o644, 0o755, 0o4755, 0o2755, 0o6711, 0o1777, 0o7777),
  integer({ min: 0, max: 0o7777 }),
);
const id = oneof(
  constantFrom(0, 1, 65_535, 65_536, 2_147_483_648, 4_294_967_294),
  integer({ min: 0, max: 4_294_967_294 }),
);
/** Around the blocks of files, of images, and of what is read at once. */
const size = oneof(
  constantFrom(0, 1, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537),
  constantFrom(131_072, 131_073, 262_144),
  integer({ min: 0, max: 5000 }),
);
const value = oneof(constant(new Uint8Array()), uint8Array({ maxLength: 40 }));
const attributes = (space: string): Arbitrary<Attribute[]> =>
  uniqueArray(record({ key: word(3).map((text) => `${space}.${text}`), value }), {
    maxLength: 3,
    selector: ({ key }) => key,
  });
const both = attributes('user').chain((user) =>
  attributes('trusted').map((trusted) => [...user, ...trusted]),
);
const target = oneof(
  word(8),
  integer({ min: 1, max: 4095 }).map((length) => 't'.repeat(length)),
);
const acl = option(constant(true), { nil: false, freq: 5 });

const { items } = letrec<{ items: Item[]; item: Item }>((tie) => ({
  item: oneof(
    { maxDepth: 3 },
    record({
      kind: constant('file' as const),
      name,
      mode,
      uid: id,
      gid: id,
      xattrs: both,
      size,
      acl,
      capable: acl,
    }),
    record({
      kind: constant('link' as const),
      name,
      mode,
      uid: id,
      gid: id,
      xattrs: attributes('trusted'),
      target,
    }),
    record({
      kind: constant('folder' as const),
      name,
      mode,
      uid: id,
      gid: id,
      xattrs: both,
      acl,
      below: tie('items'),
    }),
    record({
      kind: constant('deep' as const),
      name: word(3).filter((text) => text !== '.' && text !== '..'),
      mode,
      uid: id,
      gid: id,
      xattrs: both,
      levels: integer({ min: 2, max: 30 }),
      below: tie('items'),
    }),
  ),
  items: uniqueArray(tie('item'), {
    maxLength: 5,
    selector: (item) => item.name,
    depthIdentifier: 'items',
  }),
}));

/** user::rwx user:1000:rwx group::r-x mask::rwx other::r-x, as the kernel keeps it. */
const aclBytes = Buffer.from(
  '0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff',
  'hex',
);
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');

function put(folder: string, all: readonly Item[]): void {
  for (const item of all) {
    const path = `${folder}/${item.name}`;
    const xattrs = [...item.xattrs];
    if (item.kind === 'file') {
      writeFileSync(path, Buffer.alloc(item.size, `${item.name} of pine`));
      if (item.capable) xattrs.push({ key: 'security.capability', value: capability });
      if (item.acl) xattrs.push({ key: 'system.posix_acl_access', value: aclBytes });
    } else if (item.kind === 'link') {
      symlinkSync(item.target, path);
    } else if (item.kind === 'deep') {
      const inner = Array.from({ length: item.levels - 1 }, () => item.name).join('/');
      mkdirSync(`${path}/${inner}`, { recursive: true });
      put(
        `${path}/${inner}`,
        item.below.filter(({ name }) => name.length < 200),
      );
    } else {
      mkdirSync(path);
      put(path, item.below);
      if (item.acl) xattrs.push({ key: 'system.posix_acl_default', value: aclBytes });
    }
    lchownSync(path, item.uid, item.gid);
    if (item.kind !== 'link') chmodSync(path, item.mode);
    for (const { key, value } of xattrs) setAttribute(path, key, value);
  }
}

function setAttribute(path: string, key: string, value: Uint8Array): void {
  const text = value.length === 0 ? '' : `0x${Buffer.from(value).toString('hex')}`;
  execFileSync('setfattr', ['-h', '-n', key, '-v', text, '--', path], { stdio: 'pipe' });
}

const hasAcl = (all: readonly Item[]): boolean =>
  all.some((item) => ('acl' in item && item.acl) || ('below' in item && hasAcl(item.below)));

describe.skipIf(missing('ostree', 'root', 'xattr') !== undefined)('trees of all kinds', () => {
  const folder = temporaryFolder();

  test(`${runs} odd trees have the checksums of \`ostree commit\`, come out of it, and go through GNU tar`, async () => {
    const stock = stockRepository(folder, 'stock');
    const repository = await Repository.init(join(folder, 'ours'), quick);
    const options = { ref: 'x', parent: 'none', timestamp, image: false };
    let count = 0;
    const property = asyncProperty(items, async (all) => {
      const root = join(folder, `${count++}`);
      mkdirSync(root);
      put(root, all);
      const words = ['--fsync=false', '--parent=none', `--timestamp=@${timestamp}`, '-b', 'x'];
      const expected = ostree(stock, 'commit', ...words, root).trim();
      const { tree } = await scanFolder(root);
      const { commit } = await commitTree(repository, tree, options);
      expect(commit).toBe(expected);
      if (!hasAcl(all)) {
        const flags = ['--format=pax', '--xattrs', '--xattrs-include=*', '--numeric-owner'];
        execFileSync('tar', ['-C', root, ...flags, '-cf', `${root}.tar`, '.']);
        const opened = await openSources(repository, [{ kind: 'tar', name: `${root}.tar` }], {});
        const again = await commitTree(repository, opened.tree, options).finally(opened.close);
        expect(again.commit, 'through a tar').toBe(expected);
        rmSync(`${root}.tar`);
      }
      await checkOut(await Repository.open(stock, quick), expected, `${root}.out`);
      // The judge of the checkout is ostree again: it commits what came out.
      const out = ostree(stock, 'commit', ...words, `${root}.out`).trim();
      expect(out, 'checked out').toBe(expected);
      for (const path of [root, `${root}.out`]) rmSync(path, { recursive: true });
    });
    await assert(property, { numRuns: runs, interruptAfterTimeLimit: 240_000 });
    ostree(repository.path, 'fsck');
    expect(count).toBeGreaterThan(Math.min(runs, 10) - 1);
  }, 300_000);
});
