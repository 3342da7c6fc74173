import type { Command } from 'commander';
import { diffPackages, type PackageChange, packagesOf } from '../build/apk-database.ts';
import { type DiffNode, diffCommits, type TreeChange } from '../repo/diff-commits.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { formatBytes, print, visibleName } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly stat?: boolean;
  readonly packages?: boolean;
}

/** `pinectl diff`: what is different between two commits. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<before>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .argument('[after]', 'the other commit; without it, BEFORE is compared with its parent')
    .option('--stat', 'only how many, and how many bytes')
    .option('--packages', 'the apk packages instead of the files')
    .addHelpText(
      'after',
      `
Each line: A (added), D (deleted) or M (modified), the path, and what was modified. With --json one
object a line; modes are octal.

Examples:
  pinectl diff --repo repo alpine/x86_64/web
  pinectl diff --repo repo alpine/x86_64/web^^ alpine/x86_64/web --stat
  pinectl diff --repo repo --packages alpine/x86_64/web alpine/x86_64/web-next`,
    )
    .action(run);
}

async function run(first: string, second: string | undefined, options: Options): Promise<void> {
  const repository = await openRepository(options);
  const before = await resolveCommit(repository, second === undefined ? `${first}^` : first);
  const after = await resolveCommit(repository, second ?? first);
  if (options.packages) {
    const [a, b] = [await packagesOf(repository, before), await packagesOf(repository, after)];
    const changes = diffPackages(a, b);
    return print(options.json, { before, after, packages: changes }, () =>
      changes.map(packageLine).join('\n'),
    );
  }
  const changes = diffCommits(repository, before, after);
  if (options.stat) return printTotals(options, await count(changes));
  for await (const change of changes) {
    process.stdout.write(`${options.json ? JSON.stringify(changeJson(change)) : line(change)}\n`);
  }
}

function line({ path: raw, before, after, differences }: TreeChange): string {
  const path = visibleName(raw, process.stdout);
  if (before === undefined) return `A    ${path}`;
  if (after === undefined) return `D    ${path}`;
  const words = differences.map((what) => {
    if (what === 'mode') return `mode ${octal(before)} to ${octal(after)}`;
    if (what === 'owner') return `owner ${owner(before)} to ${owner(after)}`;
    return what === 'type' ? `${before.kind} to ${after.kind}` : what;
  });
  return `M    ${path}  (${words.join(', ')})`;
}

function octal({ mode }: DiffNode): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

function owner({ uid, gid }: DiffNode): string {
  return `${uid}:${gid}`;
}

function packageLine({ name, before, after }: PackageChange): string {
  if (before === undefined) return `A    ${name} ${after}`;
  return after === undefined ? `D    ${name} ${before}` : `M    ${name} ${before} to ${after}`;
}

function changeJson({ path, before, after, differences }: TreeChange): object {
  const kind = { A: 'added', D: 'deleted', M: 'modified' } as const;
  const letter = before === undefined ? 'A' : after === undefined ? 'D' : 'M';
  return {
    path,
    change: kind[letter],
    differences,
    before: nodeJson(before),
    after: nodeJson(after),
  };
}

function nodeJson(node: DiffNode | undefined): object | null {
  if (node === undefined) return null;
  const { kind, uid, gid, size, target, xattrs } = node;
  const hex = xattrs.map(({ name, value }) => [name, Buffer.from(value).toString('hex')]);
  return { kind, mode: octal(node), uid, gid, size, target, xattrs: hex };
}

/** How many paths, and bytes of content. */
interface Totals {
  readonly added: { paths: number; bytes: number };
  readonly deleted: { paths: number; bytes: number };
  readonly modified: { paths: number; bytesBefore: number; bytesAfter: number };
}

async function count(changes: AsyncIterable<TreeChange>): Promise<Totals> {
  const totals: Totals = {
    added: { paths: 0, bytes: 0 },
    deleted: { paths: 0, bytes: 0 },
    modified: { paths: 0, bytesBefore: 0, bytesAfter: 0 },
  };
  for await (const { before, after } of changes) {
    if (before !== undefined && after !== undefined) {
      totals.modified.paths += 1;
      totals.modified.bytesBefore += before.size;
      totals.modified.bytesAfter += after.size;
    } else {
      const side = before === undefined ? totals.added : totals.deleted;
      side.paths += 1;
      side.bytes += (before ?? after)?.size ?? 0;
    }
  }
  return totals;
}

function printTotals(options: Options, totals: Totals): void {
  const { added, deleted, modified } = totals;
  print(options.json, totals, () =>
    [
      `${added.paths} added, ${formatBytes(added.bytes)}`,
      `${deleted.paths} deleted, ${formatBytes(deleted.bytes)}`,
      `${modified.paths} modified, ${formatBytes(modified.bytesBefore)} before, ${formatBytes(modified.bytesAfter)} after`,
    ].join('\n'),
  );
}
