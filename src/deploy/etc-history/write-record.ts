import { PineError } from '../../error.ts';
import { HistoryRepository } from '../../etc/history/repository.ts';
import type { Machine } from '../machine.ts';
import { measureFolder } from '../measure-folder.ts';
import { historyFolder } from '../paths.ts';
import { recordAll } from './record-all.ts';
import { type EtcRecord, type Occasion, type RecordOptions, spareSpace } from './record-etc.ts';

/** The part of `recordEtc` that writes. A damaged repository is put aside, and a new one begun. */
export async function writeRecord(
  machine: Machine,
  occasion: Occasion,
  options: RecordOptions,
): Promise<EtcRecord> {
  const { files } = machine;
  const folder = historyFolder(machine);
  if ((await files.status(machine.etc)) === undefined) throw noEtc(machine);
  await checkSpace(machine);
  const present = await HistoryRepository.open(files, folder);
  try {
    const repository = present ?? (await HistoryRepository.create(files, folder));
    const work = { machine, repository, occasion, options };
    return { revision: await recordAll(work, present === undefined), rebuilt: false };
  } catch (error) {
    if (!(error instanceof PineError) || error.code !== 'CORRUPT_ETC_HISTORY') throw error;
    options.note(`${error.message} (${error.details.where}): a new one is begun`);
  }
  await putAside(machine, folder);
  const repository = await HistoryRepository.create(files, folder);
  return {
    revision: await recordAll({ machine, repository, occasion, options }, true),
    rebuilt: true,
  };
}

/** The damaged repository is kept, in place of the one that was damaged before it, for whoever misses something. */
async function putAside({ files, data }: Machine, folder: string): Promise<void> {
  await files.remove(`${folder}.damaged`);
  await files.rename(folder, `${folder}.damaged`);
  await files.sync(`${data}/pine`);
}

async function checkSpace(machine: Machine): Promise<void> {
  const { files, data, etc } = machine;
  const isThere = (await files.status(historyFolder(machine))) !== undefined;
  const needed = spareSpace + (isThere ? 0 : 2 * (await measureFolder(files, etc)));
  const free = await files.freeBytes(data);
  if (free >= needed) return;
  throw new PineError('SPACE_ETC_HISTORY', 'there is no room to record /etc', {
    expected: `${needed} bytes free`,
    found: `${free}`,
    where: data,
    remedy: 'free some space on the data partition; the next boot records what is new',
  });
}

function noEtc({ etc }: Machine): PineError {
  return new PineError('NOT_FOUND_ETC', 'the deployment has no /etc yet', {
    expected: 'a folder that the first boot makes out of the image',
    found: 'no such folder',
    where: etc,
    remedy: 'boot it once',
  });
}
