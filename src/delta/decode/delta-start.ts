import { PineError } from '../../error.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { type PublicKey, signatureLength } from '../../trust/keys.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';
import { fixedHeaderSize, maxSignatures, streamNames } from '../format/delta-format.ts';
import { type DeltaHeader, decodeHeader, headerSize } from '../format/header.ts';

/** Whose signature a delta needs; `undefined` for one that this host has made itself. */
export type Signers = readonly PublicKey[] | undefined;

/**
 * How many bytes the beginning of a delta has, header and signatures, as far as `bytes` tell: more than
 * there are until all of it is there. Throws CORRUPT_DELTA.
 */
export function startLength(bytes: Buffer, name: string): number {
  if (bytes.length < fixedHeaderSize) return fixedHeaderSize;
  const header = headerSize(bytes, name);
  if (bytes.length < header + 4) return header + 4;
  return header + 4 + signatureLength * signatureCount(bytes.readUInt32LE(header), name);
}

/** What is known of a delta when its header and signatures are there. */
export interface DeltaStart {
  readonly header: DeltaHeader;
  readonly signedBy: string | undefined;
  /** How many signatures there are, right or wrong. */
  readonly signatures: number;
  /** Where the payload begins, and the bytes of the whole file. */
  readonly payload: number;
  readonly size: number;
}

/**
 * Reads the beginning of a delta; the payload need not be there yet. S5: nothing in the header is
 * believed before one of `keys` is found to have signed it. Throws CORRUPT_DELTA, TRUST_NO_SIGNATURE,
 * TRUST_UNKNOWN_KEY.
 */
export async function readDeltaStart(
  file: PositionedReader,
  keys: Signers,
  name: string,
): Promise<DeltaStart> {
  const start = await readSome(file, 0, fixedHeaderSize, name);
  const size = headerSize(start, name);
  const signed = await readSome(file, 0, size, name);
  const signatures = await readSignatures(file, size, name);
  const signedBy = keys && (await findTrusted(signed, signatures, keys, name));
  const header = decodeHeader(signed, name);
  const payload = size + 4 + signatureLength * signatures.length;
  const sizes = streamNames.map((stream) => header.streams[stream].size);
  const count = signatures.length;
  return {
    header,
    signedBy,
    signatures: count,
    payload,
    size: sizes.reduce((sum, each) => sum + each, payload),
  };
}

async function readSome(
  file: PositionedReader,
  position: number,
  length: number,
  name: string,
): Promise<Buffer> {
  if (position + length <= file.size) return file.read(position, length);
  throw corruptDelta(`${length} bytes at ${position}`, `a file of ${file.size} bytes`, name);
}

/** The signatures behind a header of `header` bytes. Throws CORRUPT_DELTA. */
export async function readSignatures(
  file: PositionedReader,
  header: number,
  name: string,
): Promise<Uint8Array[]> {
  const count = (await readSome(file, header, 4, name)).readUInt32LE();
  const length = signatureLength * signatureCount(count, name);
  const bytes = await readSome(file, header + 4, length, name);
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(signatureLength * index, signatureLength * (index + 1)),
  );
}

function signatureCount(count: number, name: string): number {
  if (count <= maxSignatures) return count;
  throw corruptDelta(`at most ${maxSignatures} signatures`, `${count}`, name);
}

async function findTrusted(
  header: Uint8Array,
  signatures: readonly Uint8Array[],
  keys: readonly PublicKey[],
  where: string,
): Promise<string> {
  const { findSigner } = await import('../../trust/verify.ts');
  const signer = await findSigner(header, signatures, keys);
  if (signer !== undefined) return signer.name;
  const isSigned = signatures.length > 0;
  const summary = isSigned
    ? 'no key that is trusted signed this delta'
    : 'this delta is not signed';
  throw new PineError(isSigned ? 'TRUST_UNKNOWN_KEY' : 'TRUST_NO_SIGNATURE', summary, {
    expected: `a signature of ${keys.map(({ name }) => name).join(' or ') || 'a trusted key'}`,
    found: isSigned ? `${signatures.length} of others, or altered` : 'none',
    where,
    remedy: 'make it on the build host with `pinectl delta generate --sign-key KEY`',
  });
}
