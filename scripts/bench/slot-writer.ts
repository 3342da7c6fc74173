import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';
import { writableImageSize } from '../../src/image/slot.ts';
import { executePlan } from '../../src/plan/execute.ts';
import { openPlan } from '../../src/plan/plan-file.ts';
import { useRanges } from '../../src/plan/ranges.ts';
import { objectsOf } from '../../src/repo/file-object.ts';
import { promisedImage } from '../../src/repo/pine-metadata.ts';
import { Repository } from '../../src/repo/repository.ts';
import { resolveCommit } from '../../src/repo/resolve.ts';

/**
 * A process of its own, so that its memory can be measured:
 * slot-writer.ts objects|ranges REPOSITORY IMAGE SLOT writes the image of the ref `bench` into the slot.
 */
const [source = '', repo = '', image = '', slot = ''] = process.argv.slice(2);
const repository = await Repository.open(repo);
const checksum = await resolveCommit(repository, 'bench');
const promised = promisedImage(await repository.readCommit(checksum));
if (promised === undefined) throw new Error(`${checksum} has no image`);
const planFile = await nodeBlockDevice(repository.objectFile(checksum, 'plan')).open('read');
const plan = await openPlan(planFile);
const base = await nodeBlockDevice(image).open('read');
const target = await nodeBlockDevice(slot).open('write');
const written = await executePlan({
  segments: source === 'ranges' ? useRanges(plan, plan) : plan.segments(),
  objects: objectsOf(repository),
  base,
  size: promised.size,
  room: writableImageSize(target.size),
  target,
});
await Promise.all([target.close(), base.close(), planFile.close()]);
if (written.sha256 !== promised.sha256) throw new Error('another image was written');
