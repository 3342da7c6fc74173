import { stat } from 'node:fs/promises';
import type { DeltaFile } from '../delta/decode/delta-file.ts';
import { nothing } from '../delta/delta-path.ts';
import { streamNames } from '../delta/format/delta-format.ts';
import { type DeltaItem, inspectDelta } from '../delta/inspect.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { openPlan } from '../plan/plan-file.ts';
import { listTree } from '../repo/list-tree.ts';
import { Repository } from '../repo/repository.ts';
import { withDelta } from './delta-file.ts';
import { formatBytes, print } from './output.ts';
import type { RepositoryOptions } from './repository-option.ts';

interface Place {
  readonly at: number;
  readonly path: string | undefined;
}

interface Options extends RepositoryOptions {
  readonly top: number;
}

/** `pinectl delta show`. Names files only with the repository that has the new commit. */
export async function show(argument: string, options: Options): Promise<void> {
  // Looking at it is no acting on it: no signature is asked for.
  await withDelta(argument, options, undefined, async (delta, path) => {
    const { header } = delta;
    const bytes = { literal: 0, zeros: 0, extent: 0, patch: 0, recompressed: 0 };
    const items: DeltaItem[] = [];
    let computed = 0;
    const places = await readPlaces(delta, options);
    const borders = places.map(({ at }) => at);
    for await (const item of inspectDelta(delta, borders)) {
      bytes[item.kind] += item.length;
      computed += item.computed;
      if (item.kind !== 'extent' && item.kind !== 'zeros') items.push(item);
    }
    const top = items.sort((a, b) => weight(b) - weight(a)).slice(0, options.top);
    const files = top.map((item) => ({
      ...item,
      path: places.findLast(({ at }) => at <= item.at)?.path,
    }));
    const { signatures } = delta;
    const { size } = await stat(path);
    const streams = Object.fromEntries(
      streamNames.map((name) => {
        const { plainSize, size } = header.streams[name];
        return [name, { plainSize, size }];
      }),
    );
    const { to } = header;
    const isFull = header.from.commit === nothing;
    const from = isFull ? { ...header.from, commit: '' } : header.from;
    print(options.json, { from, to, size, signatures, bytes, computed, streams, files }, () =>
      [
        isFull ? 'from nothing' : `from ${from.commit}  ${formatBytes(from.image.size)}`,
        ...(isFull ? [] : [`     SHA-256 of the image ${from.image.sha256}`]),
        `to   ${to.commit}  ${formatBytes(to.image.size)}`,
        `     SHA-256 of the image ${to.image.sha256}`,
        `size ${size} bytes, ${signatures === 0 ? 'not signed' : `${signatures} signatures, not checked (delta apply --key)`}`,
        `of the new image: ${formatBytes(bytes.extent)} copied, ${formatBytes(bytes.patch)} patched, ${formatBytes(bytes.recompressed)} compressed again, ${formatBytes(bytes.literal)} new, ${formatBytes(bytes.zeros)} zeros`,
        ...streamNames.map((name) => {
          const { plainSize, size } = header.streams[name];
          return `  ${name.padEnd(12)}${size} bytes (${plainSize} before compression)`;
        }),
        ...(computed > 0 ? [`  computed    ${computed} bytes of curves' points`] : []),
        places.length === 0
          ? 'most before compression (--repo of one that has the new commit names files):'
          : 'most before compression:',
        ...files.map(
          ({ path, at, content, literals, computed, differences, copies }) =>
            `  ${path ?? `byte ${at}`}: ${literals} new${computed > 0 ? `, ${computed} computed` : ''} and ${differences} different bytes of ${content}, ${copies} copies`,
        ),
      ].join('\n'),
    );
  });
}

function weight({ literals, differences }: DeltaItem): number {
  return literals + differences;
}

/** Where in the new image something begins, and its path, as far as a repository was named that knows. */
async function readPlaces({ header }: DeltaFile, options: Options): Promise<Place[]> {
  if (options.repo === undefined) return [];
  const repository = await Repository.open(options.repo);
  const { commit } = header.to;
  if (!repository.has(commit, 'commit') || !repository.has(commit, 'plan')) return [];
  const paths = new Map<string, string>();
  for await (const { path, kind, checksums } of listTree(repository, commit, '/', 'all')) {
    const [checksum = ''] = checksums;
    if (kind === 'file' && !paths.has(checksum)) paths.set(checksum, path);
  }
  const places: Place[] = [];
  const plan = await nodeBlockDevice(repository.objectFile(commit, 'plan')).open('read');
  try {
    let at = 0;
    for await (const segment of (await openPlan(plan)).segments()) {
      const path = segment.kind === 'object' ? paths.get(segment.checksum) : 'superblock or tables';
      places.push({ at, path });
      at += segment.length;
    }
  } finally {
    await plan.close();
  }
  return places;
}
