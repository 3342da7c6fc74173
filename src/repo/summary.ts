import { bytes, string, uint64, uint64BigEndian } from './gvariant/basic.ts';
import { decode } from './gvariant/codec.ts';
import { array, tuple } from './gvariant/containers.ts';
import { type Dictionary, dictionary } from './gvariant/variant.ts';
import { checksumFromBytes } from './object-name.ts';
import { checkRefName } from './ref-name.ts';
import { compareBytes } from './tree.ts';

/** What a summary says of a ref. */
export interface SummaryRef {
  readonly commit: string;
  /** Bytes of the commit object. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

const summary = tuple(array(tuple(string, tuple(uint64, bytes, dictionary))), dictionary);

/** The bytes of a `summary`: `(a(s(taya{sv}))a{sv})`, as `ostree summary --update` writes it; `now` in seconds. */
export function encodeSummary(refs: ReadonlyMap<string, SummaryRef>, now: number): Buffer {
  const entries = [...refs].toSorted(([a], [b]) => compareBytes(a, b));
  const extensions: Dictionary = [
    ['ostree.summary.mode', { type: 's', value: 'archive-z2' }],
    ['ostree.summary.last-modified', { type: 't', value: bigEndian(now) }],
    ['ostree.summary.tombstone-commits', { type: 'b', value: false }],
  ];
  return summary.encode([
    entries.map(([ref, { commit, size, timestamp }]) => [
      ref,
      [
        BigInt(size),
        Buffer.from(commit, 'hex'),
        [['ostree.commit.timestamp', { type: 't', value: bigEndian(timestamp) }]],
      ],
    ]),
    extensions,
  ]);
}

/** The refs of a summary and the commits they name. Throws CORRUPT_GVARIANT, CORRUPT_OBJECT, INPUT_REF_NAME. */
export function decodeSummary(object: Uint8Array, where: string): Map<string, string> {
  const [entries] = decode(summary, object, where);
  const refs = new Map<string, string>();
  for (const [ref, [, commit]] of entries) {
    checkRefName(ref);
    refs.set(ref, checksumFromBytes(commit, where));
  }
  return refs;
}

/** OSTree keeps its times big-endian inside a little-endian value. */
function bigEndian(seconds: number): bigint {
  return uint64.decode(uint64BigEndian.encode(BigInt(seconds)), 0);
}
