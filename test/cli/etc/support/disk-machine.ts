import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commitTree } from '../../../../src/build/commit-tree.ts';
import { scanFolder } from '../../../../src/build/scan.ts';
import { diskImageMachine } from '../../../../src/deploy/machine-disk-image.ts';
import { findCommitImage } from '../../../../src/install/commit-image.ts';
import { writeDiskImage } from '../../../../src/install/disk-image.ts';
import { Repository } from '../../../../src/repo/repository.ts';
import { generateKeyPair } from '../../../../src/trust/generate.ts';
import { encodeKey } from '../../../../src/trust/keys.ts';
import { wholeBootFolder } from '../../../boot/support/slot-image.ts';
import { smallLayout } from '../../../support/small-layout.ts';
import { outputHere, type Ran, runHere } from '../../support/run-here.ts';

const layout = smallLayout({ size: '8MiB', swap: '4MiB' });
const ref = 'alpine/x86_64/web';

/** Files of an /etc by path: their content, and their mode where it is not 0644. */
export type EtcFiles = Readonly<Record<string, string | readonly [content: string, mode: number]>>;

/** Writes files below a folder. */
export function writeFiles(folder: string, files: EtcFiles): void {
  for (const [path, value] of Object.entries(files)) {
    const [content, mode] = typeof value === 'string' ? [value, 0o644] : value;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    rmSync(join(folder, path), { force: true });
    writeFileSync(join(folder, path), content, { mode });
  }
}

/** A machine in a disk image file that runs its first release, with a folder as its remote. */
export class DiskMachine {
  readonly folder: string;
  readonly #repository: Repository;
  readonly #keys: Awaited<ReturnType<typeof generateKeyPair>>;
  #releases = 0;

  private constructor(
    folder: string,
    repository: Repository,
    keys: Awaited<ReturnType<typeof generateKeyPair>>,
  ) {
    this.folder = folder;
    this.#repository = repository;
    this.#keys = keys;
  }

  static async make(folder: string, etc: EtcFiles): Promise<DiskMachine> {
    const repository = await Repository.init(join(folder, 'repo'));
    const made = new DiskMachine(folder, repository, await generateKeyPair('release'));
    const root = await made.release(etc);
    const commit = await findCommitImage(repository, ref);
    await writeDiskImage(made.disk, {
      ...{ repository, commit, layout, size: 110 << 20, diskUuid: undefined },
      deployment: { id: 'first.0', slot: 'a', commit: commit.commit, kernelArguments: '' },
    });
    // What the first boot does.
    mkdirSync(join(made.state, 'etc'), { recursive: true });
    mkdirSync(join(made.state, 'pine'));
    cpSync(join(root, 'etc'), made.etc('first.0'), { recursive: true, verbatimSymlinks: true });
    return made;
  }

  get disk(): string {
    return join(this.folder, 'disk.img');
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  get history(): string {
    return join(this.state, 'pine/etc.git');
  }

  /** The repository of the build host. */
  get repo(): string {
    return this.#repository.path;
  }

  /** Writes the build host's secret key into a file, and says where. */
  writeKey(): string {
    const path = join(this.folder, 'release.secret');
    writeFileSync(path, `${encodeKey(this.#keys.secretKey)}\n`, { mode: 0o600 });
    return path;
  }

  etc(deployment: string): string {
    return join(this.state, 'etc', deployment);
  }

  /** Commits a release with this /etc, and returns its root. */
  async release(etc: EtcFiles): Promise<string> {
    this.#releases += 1;
    const root = join(this.folder, `root-${this.#releases}`);
    writeFiles(join(root, 'boot'), {});
    mkdirSync(join(root, 'boot'), { recursive: true });
    for (const [name, bytes] of Object.entries(wholeBootFolder('a'))) {
      writeFileSync(join(root, 'boot', name), bytes);
    }
    writeFiles(join(root, 'etc'), {
      'pine/pinectl.toml': `remote = "${this.#repository.path}"\nref = "${ref}"\n`,
      'pine/keys/release.pub': `${encodeKey(this.#keys.publicKey)}\n`,
      ...etc,
    });
    const { tree } = await scanFolder(root);
    await commitTree(this.#repository, tree, {
      ...{ ref, timestamp: 1_750_000_000 + this.#releases, image: true },
      metadata: [
        ['version', { type: 's', value: `v${this.#releases}` }],
        ['pine.boot-compat', { type: 'u', value: 1 }],
      ],
      signKeys: [this.#keys.secretKey],
    });
    return root;
  }

  /** The machine for code that takes one. */
  machine(running?: string) {
    return diskImageMachine({ disk: this.disk, state: this.state, running });
  }

  /** Runs a command on it. */
  run(...args: string[]): Promise<Ran> {
    return runHere(...args, '--disk', this.disk, '--state', this.state);
  }

  /** What a command prints when all goes well. */
  out(...args: string[]): Promise<string> {
    return outputHere(...args, '--disk', this.disk, '--state', this.state);
  }

  async json(...args: string[]) {
    return JSON.parse(await this.out(...args, '--json'));
  }

  /** The code of the error that a command must end in. */
  async fail(...args: string[]): Promise<string | undefined> {
    return (await this.run(...args)).error?.code;
  }
}
