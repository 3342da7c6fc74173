import { noObjects } from '../../src/delta/apply.ts';
import { openDelta } from '../../src/delta/decode/delta-file.ts';
import { deltaSegments } from '../../src/delta/decode/delta-segments.ts';
import { scratchFile } from '../../src/delta/recompress/scratch.ts';
import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';
import { executePlan } from '../../src/plan/execute.ts';
import { verifyImage } from '../../src/plan/read-back.ts';
import { nodeFileSystem } from '../../src/ports/node-file-system.ts';

/**
 * A process of its own, as small as one can be: delta-applier.ts write|read-back DELTA IMAGE SLOT does one of the two
 * steps of an upgrade, from a delta that is there.
 */
const [step = '', deltaPath = '', image = '', slot = ''] = process.argv.slice(2);
const file = await nodeBlockDevice(deltaPath).open('read');
const delta = await openDelta(file, undefined, deltaPath);
const { to } = delta.header;
if (step === 'write') {
  await delta.check();
  const base = await nodeBlockDevice(image).open('read');
  const target = await nodeBlockDevice(slot).open('write');
  // Where the slot is.
  const scratch = scratchFile(nodeFileSystem, `${slot}.scratch`);
  const segments = deltaSegments(delta, base, scratch);
  const { size } = to.image;
  const sources = { segments, objects: noObjects, base };
  const found = await executePlan({ ...sources, size, room: target.size, target });
  await Promise.all([base.close(), target.close()]);
  if (found.sha256 !== to.image.sha256) throw new Error('another image was written');
} else {
  const target = await nodeBlockDevice(slot).open('read');
  await verifyImage(target, to.image);
  await target.close();
}
await file.close();
