import { decodeChoice } from '../../../boot/grub/choice-codec.ts';
import { decodeEnvironmentBlock } from '../../../boot/grub/environment-block.ts';
import { bootFiles } from '../../../boot/grub/grub.ts';
import { parseRecord, type TakeOverRecord } from '../../../take-over/record.ts';
import {
  parseStory,
  type StoryLine,
  storyOf,
  storySize,
  type ToldStory,
  tellStory,
} from '../../../take-over/story.ts';
import type { Host } from '../host.ts';
import { stageBlockSize, stagingFolder } from './installer-entry.ts';

/** How far the take-over of an old system is, as far as that can tell while it runs. */
export interface TakeOverStatus {
  /**
   * `none`: nothing was prepared. `staged`: the next boot starts the installer. `untouched`: it was started, and stopped
   * before its first write. `unfinished`: it stopped after that. `came-back`: the new system was installed, and left.
   * `undone`: left by `hijack --undo`.
   */
  readonly state: 'none' | 'staged' | 'untouched' | 'unfinished' | 'came-back' | 'undone';
  /** Why the installer stopped before its first write, in its words. */
  readonly reason: string | undefined;
  readonly record: TakeOverRecord | undefined;
  readonly story: ToldStory;
  /** The log of the new system's trial, where its data partition has one. */
  readonly trialLog: string | undefined;
}

const nothing = { reason: undefined, record: undefined, trialLog: undefined };

/** Looks at what was prepared and at the disk. Writes nothing. */
export async function readTakeOverStatus(host: Host): Promise<TakeOverStatus> {
  const env = await readEnv(host);
  if (env === undefined) return { state: 'none', ...nothing, story: tellStory([]) };
  const record = parseRecord((await host.readText(`${stagingFolder}/record`)) ?? '');
  const lines = await readStory(host, record);
  const [stage, starts] = [env.get('pine_stage'), env.get('pine_starts')];
  if (stage !== 'writing') {
    // With --kexec no boot loader starts it: it waits in memory.
    const inMemory = (await host.readText('/sys/kernel/kexec_loaded'))?.trim() === '1';
    const state = starts === '0' && !inMemory ? 'untouched' : 'staged';
    return { state, ...nothing, reason: env.get('pine_reason'), record, story: tellStory(lines) };
  }
  const data = record && (await findPartition(host, record.disk, 'data'));
  const log = data && (await host.report('debugfs', ['-R', `cat ${logOf(record)}`, data]));
  const left = record && (await isUndone(host, record.disk)) ? 'undone' : 'came-back';
  return {
    state: data === undefined ? 'unfinished' : left,
    ...{ reason: undefined, record, story: tellStory(lines), trialLog: log || undefined },
  };
}

async function readEnv(host: Host) {
  const path = `${stagingFolder}/env`;
  if (!(await host.exists(path))) return undefined;
  return decodeEnvironmentBlock(await host.readBytes(path, 0, stageBlockSize));
}

/** What the installer kept on the disk, or as long as it has written nothing, what was prepared. */
async function readStory(host: Host, record: TakeOverRecord | undefined): Promise<StoryLine[]> {
  if (record?.storyAt !== undefined) {
    const bytes = await host
      .readBytes(record.disk, record.storyAt, storySize)
      .catch(() => Buffer.alloc(0));
    const lines = storyOf(bytes, record.id);
    if (lines.length > 0) return lines;
  }
  return parseStory((await host.readText(`${stagingFolder}/story`)) ?? '');
}

/** Whether pine's boot choice names the old system. */
async function isUndone(host: Host, disk: string): Promise<boolean> {
  const boot = await findPartition(host, disk, 'boot');
  const text = boot && (await host.report('debugfs', ['-R', `cat ${bootFiles.choice}`, boot]));
  return decodeChoice(Buffer.from(text ?? '', 'latin1'))?.previous === true;
}

/** One of pine's partitions, by the name that the new table gives it. */
async function findPartition(host: Host, disk: string, name: string): Promise<string | undefined> {
  const listed = (await host.report('lsblk', ['-nro', 'PATH,PARTLABEL', disk])) ?? '';
  return new RegExp(`^(/dev/\\S+) ${name}$`, 'm').exec(listed)?.[1];
}

function logOf({ deployment }: TakeOverRecord): string {
  return `/pine/attempts/${deployment}.log`;
}
