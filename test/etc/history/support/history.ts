import { join } from 'node:path';
import { recordTree } from '../../../../src/etc/history/record.ts';
import { HistoryRepository } from '../../../../src/etc/history/repository.ts';
import type { SnapshotOptions } from '../../../../src/etc/history/snapshot.ts';
import type { Branch } from '../../../../src/etc/history/tip.ts';
import { folderTree } from '../../../../src/etc/trees/folder-tree.ts';
import { nodeFileSystem } from '../../../../src/ports/node-file-system.ts';

/** When the tests' records are made, in seconds since 1970: long after any file was. */
export const later = 5_000_000_000;

/** The file system, with nothing made durable: what that is for is tested in test/crash. */
const files = { ...nodeFileSystem, sync: async () => {}, syncAll: async () => {} };

/** An /etc in a folder, and a repository beside it. */
export class History {
  readonly folder: string;
  readonly etc: string;
  readonly repository: HistoryRepository;

  private constructor(folder: string, repository: HistoryRepository) {
    this.folder = folder;
    this.etc = join(folder, 'etc');
    this.repository = repository;
  }

  static async make(folder: string): Promise<History> {
    await files.makeFolder(join(folder, 'etc'), 0o755);
    return new History(folder, await HistoryRepository.create(files, join(folder, 'etc.git')));
  }

  /** Records what is in /etc. */
  async record(
    subject: string,
    {
      branch = 'machine',
      ...options
    }: SnapshotOptions & { always?: boolean; branch?: Branch } = {},
  ) {
    const tree = await folderTree(files, this.etc);
    const recording = { branch, subject, origin: { deployment: 'a' }, time: 1_700_000_000 };
    const recorded = await recordTree(this.repository, tree, recording, {
      began: later,
      ...options,
    });
    await this.repository.publish();
    return recorded;
  }
}
