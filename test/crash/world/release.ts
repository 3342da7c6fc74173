import { createHash } from 'node:crypto';
import type { Digest } from '../../../src/image/digest.ts';
import { layOutImage } from '../../../src/image/layout.ts';
import { encodeTrailer } from '../../../src/image/trailer.ts';
import type { ObjectSource } from '../../../src/plan/object-source.ts';
import { encodePlan } from '../../../src/plan/plan-file.ts';
import { encodeCommit } from '../../../src/repo/commit-object.ts';
import { encodeDetachedMetadata, withSignatures } from '../../../src/repo/detached-metadata.ts';
import { encodePromised } from '../../../src/repo/pine-metadata.ts';
import type { DirectoryNode, TreeNode } from '../../../src/repo/tree.ts';
import type { SecretKey } from '../../../src/trust/keys.ts';
import { signCommit } from '../../../src/trust/sign.ts';
import { startFileChecksum } from '../../support/ostree-checksum.ts';
import { imageBuffer } from '../../support/write-image.ts';

export const ref = 'alpine/x86_64/web';

/** What every entry has. */
const root = { uid: 0, gid: 0, xattrs: [] };

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
  /** What the image has beside /etc: each name is a file, with content of its own of that many bytes or with this. */
  readonly objects: Readonly<Record<string, number | Buffer>>;
  /** Texts of the files under its /etc, by name. */
  readonly etc?: Readonly<Record<string, string>>;
  readonly key: SecretKey;
  readonly ref?: string;
  readonly bootCompatibility?: number;
}

/** Makes a release. Its image is a small squashfs, as pine lays it out. */
export async function makeRelease(options: ReleaseOptions): Promise<Release> {
  const objects = new Map<string, Buffer>();
  const file = (content: Buffer): TreeNode => {
    const metadata = { ...root, mode: 0o100644 };
    const checksum = startFileChecksum(metadata).update(content).digest('hex');
    objects.set(checksum, content);
    return { kind: 'file', ...metadata, size: content.length, checksum };
  };
  const folder = (entries: Iterable<readonly [string, TreeNode]>): DirectoryNode => {
    return { kind: 'directory', ...root, mode: 0o40755, entries: new Map(entries) };
  };
  const etc = Object.entries(options.etc ?? {});
  const tree = folder([
    ['etc', folder(etc.map(([name, text]) => [name, file(Buffer.from(text))]))],
    ...Object.entries(options.objects).map(
      ([name, what]) =>
        [name, file(typeof what === 'number' ? contentOf(name, what) : what)] as const,
    ),
  ]);
  const layout = layOutImage(tree, options.timestamp);
  const source: ObjectSource = {
    async *open(checksum) {
      yield objects.get(checksum) ?? Buffer.alloc(0);
    },
  };
  const segments = [...layout.segments];
  const image = await imageBuffer(layout, source);
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
export function contentOf(name: string, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let length = 0, count = 0; length < size; length += 32, count += 1) {
    pieces.push(createHash('sha256').update(`${name} ${count}`).digest());
  }
  return Buffer.concat(pieces).subarray(0, size);
}
