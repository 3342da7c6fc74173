import { createHash } from 'node:crypto';
import type { Digest } from '../../../src/image/digest.ts';
import { encodeTrailer } from '../../../src/image/trailer.ts';
import { encodePlan } from '../../../src/plan/plan-file.ts';
import type { Segment } from '../../../src/plan/segment.ts';
import { encodeCommit } from '../../../src/repo/commit-object.ts';
import { encodeDetachedMetadata, withSignatures } from '../../../src/repo/detached-metadata.ts';
import { encodePromised } from '../../../src/repo/pine-metadata.ts';
import type { SecretKey } from '../../../src/trust/keys.ts';
import { signCommit } from '../../../src/trust/sign.ts';

export const ref = 'alpine/x86_64/web';

/** A commit with its image, as a build host would publish it. */
export interface Release {
  readonly checksum: string;
  readonly commit: Buffer;
  readonly detachedMetadata: Buffer;
  readonly image: Buffer;
  readonly imageDigest: Digest;
  readonly plan: Buffer;
  readonly planDigest: Digest;
  readonly trailer: Buffer;
  /** Contents of its objects, by checksum. */
  readonly objects: ReadonlyMap<string, Buffer>;
}

export interface ReleaseOptions {
  readonly version: string;
  readonly timestamp: number;
  /** What the image is made of: each name is an object with content of its own, of that many bytes. */
  readonly objects: Readonly<Record<string, number>>;
  readonly key: SecretKey;
  readonly ref?: string;
  readonly bootCompatibility?: number;
}

/** Makes a release. Its image is literals, zeros and objects, like a squashfs but for the meaning of the bytes. */
export async function makeRelease(options: ReleaseOptions): Promise<Release> {
  const objects = new Map<string, Buffer>();
  const literal = Buffer.from(`tables of ${options.version} `.repeat(40));
  const segments: Segment[] = [{ kind: 'literal', length: literal.length, bytes: literal }];
  const bytes: Buffer[] = [literal];
  for (const [name, size] of Object.entries(options.objects)) {
    const content = contentOf(name, size);
    const checksum = sha256(content);
    objects.set(checksum, content);
    segments.push({ kind: 'object', length: size, checksum });
    bytes.push(content);
  }
  segments.push({ kind: 'zeros', length: 1000 });
  bytes.push(Buffer.alloc(1000));
  const image = Buffer.concat(bytes);
  const plan = Buffer.concat([...encodePlan({ segments })]);
  const imageDigest = { size: image.length, sha256: sha256(image) };
  const planDigest = { size: plan.length, sha256: sha256(plan) };
  const commit = encodeCommit({
    metadata: [
      ['version', { type: 's', value: options.version }],
      ['pine.boot-compat', { type: 'u', value: options.bootCompatibility ?? 1 }],
      ['pine.image.1', encodePromised(imageDigest)],
      ['pine.plan.1', encodePromised(planDigest)],
      ['ostree.ref-binding', { type: 'as', value: [options.ref ?? ref] }],
    ],
    parent: undefined,
    related: [],
    subject: options.version,
    body: '',
    timestamp: options.timestamp,
    rootTree: '33'.repeat(32),
    rootMeta: '44'.repeat(32),
  });
  const signature = await signCommit(commit, options.key);
  const detachedMetadata = encodeDetachedMetadata(withSignatures([], [signature]));
  const trailer = encodeTrailer({ imageSize: image.length, commit, detachedMetadata });
  return {
    checksum: sha256(commit),
    commit,
    detachedMetadata,
    image,
    imageDigest,
    plan,
    planDigest,
    trailer,
    objects,
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that follow from the name alone and do not compress or repeat. */
function contentOf(name: string, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let length = 0, count = 0; length < size; length += 32, count += 1) {
    pieces.push(createHash('sha256').update(`${name} ${count}`).digest());
  }
  return Buffer.concat(pieces).subarray(0, size);
}
