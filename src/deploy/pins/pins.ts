import { isRecord, parseJson, text, whole } from '../json.ts';

/** A deployment that nothing overwrites until it is unpinned. */
export interface Pin {
  readonly deployment: string;
  /** Seconds since 1970. */
  readonly since: number;
}

/** What is pinned. When the list is damaged that is not known, and then nothing is overwritten. */
export type Pins = readonly Pin[] | 'damaged';

/** The most that pins.json may be, in bytes. */
export const pinsLimit = 16 * 1024;
const mostPins = 32;

/** Reads pins.json; `damaged` when it is not what pine writes. */
export function parsePins(bytes: Uint8Array): Pins {
  const value = parseJson(bytes);
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.pins)) return 'damaged';
  const pins = value.pins.map(parsePin);
  if (pins.length > mostPins || !pins.every((pin) => pin !== undefined)) return 'damaged';
  return pins;
}

/** The bytes of pins.json. */
export function formatPins(pins: readonly Pin[]): Buffer {
  return Buffer.from(`${JSON.stringify({ version: 1, pins: pins.slice(-mostPins) }, null, 2)}\n`);
}

/** Whether a deployment is known to be pinned. */
export function isPinned(pins: Pins, deployment: string): boolean {
  return pins !== 'damaged' && pins.some((pin) => pin.deployment === deployment);
}

function parsePin(value: unknown): Pin | undefined {
  if (!isRecord(value)) return undefined;
  const deployment = text(value.deployment, /^[0-9a-z.-]{1,32}$/);
  const since = whole(value.since);
  return deployment === undefined || since === undefined ? undefined : { deployment, since };
}
