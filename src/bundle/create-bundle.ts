import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeIndex, mostSources } from '../delta/chain/delta-index.ts';
import { deltaNeeds } from '../delta/chain/made-bytes.ts';
import { openDelta } from '../delta/decode/delta-file.ts';
import { deltaIndexPath, deltaPath } from '../delta/delta-path.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import { writeOutputFile } from '../install/output-file.ts';
import { boundRefs } from '../repo/commit-object.ts';
import { objectPath } from '../repo/object-name.ts';
import { refPath } from '../repo/ref-name.ts';
import type { Repository } from '../repo/repository.ts';
import { encodeEntry, fillUp, tarEnd } from '../tar/write-tar.ts';
import { markName, markText } from './bundle-mark.ts';

/** What a bundle is made of. */
export interface BundleContents {
  /** The ref that machines follow, and its commit. */
  readonly ref: string;
  readonly commit: string;
  /** The deltas from these commits to `commit` are in the repository; `nothing` for the full one. */
  readonly from: readonly string[];
}

/** One file of a bundle: its bytes, or the path of the file that has them. */
interface Member {
  readonly name: string;
  readonly size: number;
  readonly content: string | Uint8Array;
}

/**
 * Writes a bundle: the same contents give the same bytes. Returns its size. Throws INPUT_REF_NOT_BOUND for a commit that
 * machines which follow `ref` would refuse, and SPACE_OUTPUT.
 */
export async function createBundle(
  repository: Repository,
  contents: BundleContents,
  output: string,
): Promise<number> {
  const { ref, commit, from } = contents;
  const object = await repository.readCommit(commit);
  if (!(boundRefs(object) ?? []).includes(ref)) throw notBound(ref, commit);
  const members = [
    bytesMember(markName, Buffer.from(markText)),
    await fileMember(repository, 'config'),
    bytesMember(refPath(ref), Buffer.from(`${commit}\n`)),
    await fileMember(repository, objectPath(commit, 'commit')),
  ];
  const signatures = objectPath(commit, 'commitmeta');
  if (repository.has(commit, 'commitmeta')) members.push(await fileMember(repository, signatures));
  const index = Buffer.from(await indexOf(repository, contents));
  members.push(bytesMember(deltaIndexPath(commit), index));
  for (const each of from) {
    members.push(await fileMember(repository, deltaPath({ from: each, to: commit })));
  }
  const headers = members.map(({ name, size }) => header(name, size, object.timestamp));
  let size = tarEnd.length;
  members.forEach((member, at) => {
    size += (headers[at]?.length ?? 0) + member.size + fillUp(member.size).length;
  });
  await writeOutputFile(output, { size, needed: size }, async (path) => {
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      for (const [at, member] of members.entries()) {
        yield headers[at] ?? Buffer.alloc(0);
        if (typeof member.content === 'string') yield* createReadStream(member.content);
        else yield member.content;
        yield fillUp(member.size);
      }
      yield tarEnd;
    };
    await pipeline(Readable.from(bytes()), createWriteStream(path, { flags: 'r+' }));
  });
  return size;
}

function header(name: string, size: number, time: number): Buffer {
  const nobody = { target: '', mode: 0o644, uid: 0, gid: 0, xattrs: [] };
  return encodeEntry({ ...nobody, name, type: '0', size, time });
}

function bytesMember(name: string, content: Uint8Array): Member {
  return { name, size: content.length, content };
}

async function fileMember(repository: Repository, name: string): Promise<Member> {
  const content = join(repository.path, name);
  return { name, size: (await stat(content)).size, content };
}

/** What the deltas of this bundle lead from; nothing about files, which it has not. */
async function indexOf(
  repository: Repository,
  { commit: to, from }: BundleContents,
): Promise<string> {
  const sources = await Promise.all(
    from.slice(0, mostSources).map(async (commit) => {
      const path = join(repository.path, deltaPath({ from: commit, to }));
      const file = await nodeBlockDevice(path).open('read');
      try {
        const needs = await deltaNeeds(await openDelta(file, undefined, path));
        const link = { from: commit, to, size: file.size, ...needs };
        return { commit, files: undefined, links: [link] };
      } finally {
        await file.close();
      }
    }),
  );
  return encodeIndex(to, { sources, more: from.length > mostSources });
}

function notBound(ref: string, commit: string): PineError {
  return new PineError('INPUT_REF_NOT_BOUND', 'this commit was not made for the ref', {
    expected: `a commit for ${ref}`,
    found: 'one that does not name it',
    where: `commit ${commit}`,
    remedy: 'machines would refuse it: give the ref that it was committed to',
  });
}
