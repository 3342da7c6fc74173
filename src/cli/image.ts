import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { CommitImage } from '../install/commit-image.ts';
import type { ImageSource } from '../install/fill-slot.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly ref: string;
  readonly output: string;
  readonly layout?: string;
  readonly size?: string;
  readonly kernelArguments: string;
  readonly diskId?: string;
  readonly format: 'disk' | 'squashfs';
}

export function define(command: Command): void {
  repositoryOptions(command)
    .requiredOption('--ref <ref>', 'the commit: a ref or a checksum')
    .requiredOption('-o, --output <file>', 'the file to write, replaced when it is whole')
    .option('--layout <file>', 'the layout.cfg that says how the disk is divided')
    .option('--size <size>', 'of the disk: 2G, 20GB (default: the least whole GB for the layout)')
    .option('--kernel-arguments <text>', 'of the deployment', 'console=tty0 console=ttyS0')
    .option('--disk-id <uuid>', 'GUID of the disk; all others follow (`random`: a new one)')
    .addOption(
      new Option('--format <format>', 'a whole disk, or the bare image of a slot')
        .choices(['disk', 'squashfs'])
        .default('disk'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  pinectl image --layout layouts/vm.cfg --ref alpine/x86_64/web -o disk.img --size 4G',
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { output, json, ref } = options;
  const { findCommitImage } = await import('../install/commit-image.ts');
  const repository = await openRepository(options);
  const commit = await findCommitImage(repository, ref);
  const progress = terminalProgress();
  try {
    const source = { repository, commit, progress: progress.report };
    const write = options.format === 'squashfs' ? writeSquashfs : writeDisk;
    const result = await write(source, options);
    progress.end();
    const about = { output, format: options.format, commit: commit.commit, image: commit.image };
    print(json, { ...about, ...result.value }, () => result.text);
  } finally {
    progress.end();
  }
}

interface Result {
  readonly value: object;
  readonly text: string;
}

async function writeSquashfs(source: ImageSource, { output }: Options): Promise<Result> {
  const { fillFile } = await import('../install/fill-slot.ts');
  const { writeOutputFile } = await import('../install/output-file.ts');
  const { nodeBlockDevice } = await import('../disk/node-block-device.ts');
  const { size } = source.commit.image;
  await writeOutputFile(output, { size, needed: size }, (path) =>
    fillFile(nodeBlockDevice(path), source),
  );
  return { value: {}, text: `${output}: image of ${describe(source.commit)}` };
}

async function writeDisk(source: ImageSource, options: Options): Promise<Result> {
  const { diskUuidOption, requireLayout } = await import('./image-options.ts');
  const { parseLayout } = await import('../disk/layout.ts');
  const { parseDiskSize } = await import('../disk/disk-size.ts');
  const { newDeploymentId } = await import('../deploy/deployments.ts');
  const { writeDiskImage } = await import('../install/disk-image.ts');
  const layoutPath = requireLayout(options.layout);
  const { commit } = source.commit;
  const result = await writeDiskImage(options.output, {
    ...source,
    layout: parseLayout(await readFile(layoutPath, 'utf8'), layoutPath),
    size: options.size === undefined ? undefined : parseDiskSize(options.size),
    diskUuid: diskUuidOption(options.diskId),
    deployment: {
      ...{ id: newDeploymentId(commit, new Set()), slot: 'a', commit },
      kernelArguments: options.kernelArguments,
    },
  });
  const { size, room, diskUuid } = result;
  const partitions = result.partitions.map(({ number, role, start, size }) => ({
    ...{ number, role, start, size },
  }));
  const percent = Math.ceil((100 * source.commit.image.size) / room);
  const lines = [
    `${options.output}: disk of ${formatBytes(size)} with ${describe(source.commit)}`,
    ...partitions.map((p) => `  ${p.number} ${p.role.padEnd(10)}${formatBytes(p.size)}`),
    `the image takes ${percent} % of a slot`,
  ];
  return { value: { size, diskUuid, partitions, room }, text: lines.join('\n') };
}

function describe({ commit, image }: CommitImage): string {
  return `commit ${commit.slice(0, 12)}, ${formatBytes(image.size)}, SHA-256 ${image.sha256}`;
}
