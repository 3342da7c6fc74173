import { argumentBlocks, type SlotName } from '../boot/choice.ts';
import { isRecord, parseJson, text, whole } from './json.ts';

/** The write under way: what goes into which slot, and how much of it is durable. */
export interface Writing {
  readonly commit: string;
  readonly slot: SlotName;
  /** The deployment that it will become. */
  readonly deployment: string;
  /** Of the image, in bytes. */
  readonly size: number;
  /** Bytes from the slot's start that are on stable storage. */
  readonly durable: number;
  /** When a slot is written again with what it held: the boot order to be put back afterwards. */
  readonly relist?: readonly number[];
}

/** The most that writing.json may be, in bytes. */
export const writingLimit = 4096;

/** Reads writing.json. `undefined` when it is not what pine writes: the write then starts over. */
export function parseWriting(bytes: Uint8Array): Writing | undefined {
  const value = parseJson(bytes);
  if (!isRecord(value) || value.version !== 1) return undefined;
  const commit = text(value.commit, /^[0-9a-f]{64}$/);
  const slot = value.slot === 'a' || value.slot === 'b' ? value.slot : undefined;
  const deployment = text(value.deployment, /^[0-9a-z.-]{1,32}$/);
  const size = whole(value.size);
  const durable = whole(value.durable);
  if (commit === undefined || slot === undefined || deployment === undefined) return undefined;
  if (size === undefined || durable === undefined || durable > size) return undefined;
  const relist = parseOrder(value.relist);
  if (relist === null) return undefined;
  return { commit, slot, deployment, size, durable, ...(relist && { relist }) };
}

function parseOrder(value: unknown): readonly number[] | null | undefined {
  if (value === undefined) return undefined;
  const isBlock = (entry: unknown): entry is number => argumentBlocks.some((one) => one === entry);
  return Array.isArray(value) && value.length <= argumentBlocks.length && value.every(isBlock)
    ? value
    : null;
}

/** The bytes of writing.json. */
export function formatWriting(writing: Writing): Buffer {
  return Buffer.from(`${JSON.stringify({ version: 1, ...writing })}\n`);
}
