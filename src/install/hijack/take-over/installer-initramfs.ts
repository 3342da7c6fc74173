import { posix } from 'node:path';
import { readAsset } from '../../../asset.ts';
import { type CpioEntry, encodeCpio } from '../../../build/initramfs/cpio.ts';
import { readElfNeeds } from '../../../build/initramfs/elf.ts';
import { PineError } from '../../../error.ts';
import type { Host } from '../host.ts';
import type { FileExtent } from './file-extents.ts';

/** Where the old system's programs are put, apart from pine's own: they have another C library. */
const toolsFolder = 'debian';
const tools = ['e2fsck', 'resize2fs', 'mke2fs', 'dumpe2fs', 'debugfs', 'e2image'] as const;
const programFolders = ['/usr/sbin', '/sbin', '/usr/bin'];
const libraryFolders = [
  ...['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/lib', '/usr/lib'],
];
/** Bytes of the largest program or library (S9). */
const largestFile = 16 << 20;
/** libc and what e2fsprogs bring: some ten. */
const mostFiles = 40;

/** What mke2fs makes of the data partition, whatever the old system's own settings are: what pine's kernels and e2fsck know. */
const formatSettings = `[defaults]
	base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
	default_mntopts = acl,user_xattr
	inode_size = 256
	inode_ratio = 16384
[fs_types]
	ext4 = {
		features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
	}
	small = {
		inode_ratio = 4096
	}
	big = {
		inode_ratio = 32768
	}
	huge = {
		inode_ratio = 65536
	}
`;

/** What the installer is told: names and values, read by its shell. Positions and sizes are bytes. */
export interface InstallerPlan {
  readonly diskSize: number;
  readonly rootStart: number;
  readonly rootBlockSize: number;
  /** Of the old root file system, as text. */
  readonly rootUuid: string;
  /** The sector of the disk that holds the stage block. */
  readonly stageSector: number;
  /** Starts that it gives itself before the first write. */
  readonly starts: number;
  readonly staging: string;
  /** Where the metadata of the old file system is kept while it shrinks, in its blocks; empty: it does not shrink. */
  readonly keptAt: readonly FileExtent[];
  /** Names this take-over in its story. */
  readonly id: string;
  /** The byte of the disk where the story is kept; `undefined`: it is only told. */
  readonly storyAt: number | undefined;
  /** As `formatSteps` writes them. */
  readonly steps: string;
  /** As `formatChecks` writes them. */
  readonly checks: string;
  /** SHA-256 of each prepared file, in hex. */
  readonly sums: ReadonlyMap<string, string>;
}

/**
 * The installer's initramfs: an archive that follows the commit's own, of which it replaces `init`, with
 * what it is told and the old system's e2fsprogs. Throws PROGRAM_MISSING.
 */
export async function installerArchive(
  host: Pick<Host, 'resolve' | 'readBytes'>,
  plan: InstallerPlan,
): Promise<Buffer> {
  const values = {
    ...{ disk_size: plan.diskSize, root_start: plan.rootStart, root_block: plan.rootBlockSize },
    ...{ root_uuid: plan.rootUuid.replaceAll('-', '').toLowerCase(), starts: plan.starts },
    ...{ stage_sector: plan.stageSector, staging: plan.staging },
    ...{ id: plan.id, story_at: plan.storyAt ?? '' },
    kept_at: plan.keptAt.map(({ start, count }) => `${start}:${count}`).join(' '),
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}='${value}'\n`);
  const sums = [...plan.sums].map(([name, sha256]) => `${sha256}  ${name}\n`);
  return encodeCpio([
    textFile('init', readAsset('src/install/hijack/take-over/installer.sh'), 0o755),
    textFile('hijack/metadata', readAsset('src/install/hijack/take-over/metadata.sh')),
    textFile('hijack/plan', lines.join('')),
    textFile('hijack/steps', plan.steps),
    textFile('hijack/checks', plan.checks),
    textFile('hijack/sums', sums.join('')),
    textFile(`${toolsFolder}/etc/mke2fs.conf`, formatSettings),
    // Without it e2image can't tell whether a file system is mounted, and stops.
    { kind: 'symlink', path: `${toolsFolder}/etc/mtab`, target: '/proc/mounts' },
    ...(await collectTools(host)),
  ]);
}

function textFile(path: string, text: string, permissions = 0o644): CpioEntry {
  return { kind: 'file', path, permissions, content: Buffer.from(text) };
}

interface Wanted {
  readonly name: string;
  readonly folders: readonly string[];
  /** Below the tools' folder. */
  readonly target: string;
}

/** The programs with their loader and libraries, at the paths where these are looked for. */
async function collectTools(host: Pick<Host, 'resolve' | 'readBytes'>): Promise<CpioEntry[]> {
  const found = new Map<string, CpioEntry>();
  const pending: Wanted[] = tools.map((name) => ({
    ...{ name, folders: programFolders, target: `sbin/${name}` },
  }));
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { name, folders, target } = next;
    const path = `${toolsFolder}/${target}`;
    if (found.has(path)) continue;
    const content = found.size < mostFiles ? await readFirst(host, folders, name) : undefined;
    if (content === undefined) throw noTool(name);
    found.set(path, { kind: 'file', path, permissions: 0o755, content });
    const { interpreter, libraries } = readElfNeeds(content, name);
    for (const library of libraries) {
      const target = `lib/x86_64-linux-gnu/${library}`;
      pending.push({ name: library, folders: libraryFolders, target });
    }
    if (interpreter === undefined) continue;
    pending.push({
      ...{ name: posix.basename(interpreter), folders: [posix.dirname(interpreter)] },
      target: interpreter.slice(1),
    });
  }
  return [...found.values()];
}

async function readFirst(
  host: Pick<Host, 'resolve' | 'readBytes'>,
  folders: readonly string[],
  name: string,
): Promise<Buffer | undefined> {
  for (const folder of folders) {
    const path = await host.resolve(posix.join(folder, name));
    if (path === undefined) continue;
    const bytes = await host.readBytes(path, 0, largestFile + 1);
    return bytes.length > largestFile ? undefined : bytes;
  }
  return undefined;
}

function noTool(name: string): PineError {
  return new PineError('PROGRAM_MISSING', `the installer needs ${name}, which is missing`, {
    expected: `${name} with its libraries`,
    found: 'none, or more files than such a program has',
    where: [...programFolders, ...libraryFolders].join(', '),
    remedy: 'install the package e2fsprogs again',
  });
}
