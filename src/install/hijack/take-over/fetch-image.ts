import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { grubCompatibility } from '../../../boot/grub/grub.ts';
import { emptyFile } from '../../../disk/empty-file.ts';
import { nodeBlockDevice } from '../../../disk/node-block-device.ts';
import { PineError } from '../../../error.ts';
import type { Digest } from '../../../image/digest.ts';
import { executePlan } from '../../../plan/execute.ts';
import { openPlan } from '../../../plan/plan-file.ts';
import { verifyImage } from '../../../plan/read-back.ts';
import type { Progress } from '../../../ports/progress.ts';
import type { RemoteRepository } from '../../../remote/remote-repository.ts';
import type { PublicKey } from '../../../trust/keys.ts';
import { type AcceptedCommit, acceptCommit } from '../../../trust/policy.ts';

/** Where a commit is, and who must have signed it. */
export interface CommitSource {
  readonly remote: RemoteRepository;
  readonly ref: string;
  readonly keys: readonly PublicKey[];
}

/**
 * Fetches a commit's image into a file, and reads it back. S5: signature first, then the plan that the
 * commit names, then the files. Throws what trust/policy.ts throws, CORRUPT_TOO_LARGE, CORRUPT_PLAN
 * and CORRUPT_IMAGE.
 */
export async function fetchImage(
  source: CommitSource,
  path: string,
  progress?: Progress,
): Promise<AcceptedCommit> {
  const { remote, ref, keys } = source;
  await remote.checkMode();
  const checksum = await remote.resolveRef(ref);
  const accepted = await acceptCommit({
    ...{ checksum, keys, followedRef: ref, bootCompatibility: grubCompatibility },
    ...(await remote.fetchCommit(checksum)),
  });
  const { image, plan } = accepted;
  const planPath = `${path}.plan`;
  try {
    await storeChecked(planPath, plan, remote.fetchPlan(checksum, plan));
    await emptyFile(path, image.size);
    const file = nodeBlockDevice(path);
    const [planFile, target] = [
      await nodeBlockDevice(planPath).open('read'),
      await file.open('write'),
    ];
    try {
      const segments = (await openPlan(planFile)).segments();
      const { objects } = remote;
      const { size } = image;
      await executePlan({ segments, objects, size, room: size, target, progress });
    } finally {
      await planFile.close();
      await target.close();
    }
    await file.dropCache();
    const device = await file.open('read');
    try {
      await verifyImage(device, image, progress);
    } finally {
      await device.close();
    }
  } finally {
    await rm(planPath, { force: true });
  }
  return accepted;
}

/** Writes what comes into a file; the remote gives no more than was promised (S5). */
async function storeChecked(
  path: string,
  digest: Digest,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  const hash = createHash('sha256');
  const file = await open(path, 'w');
  let size = 0;
  try {
    for await (const piece of bytes) {
      size += piece.length;
      hash.update(piece);
      await file.appendFile(piece);
    }
  } finally {
    await file.close();
  }
  const sha256 = hash.digest('hex');
  if (size === digest.size && sha256 === digest.sha256) return;
  throw new PineError('CORRUPT_PLAN', 'a plan is not the one that the commit promises', {
    expected: `${digest.size} bytes, SHA-256 ${digest.sha256}`,
    found: `${size} bytes, ${sha256}`,
    where: path,
    remedy: 'make it again on the build host: pinectl plan REF',
  });
}
