import { InvalidArgumentError } from 'commander';
import type { TreeSource } from '../build/sources/open-sources.ts';
import type { Variant } from '../repo/gvariant/variant.ts';

/** `KEY=VALUE` of --add-metadata-string, added to those before it. */
export function parseMetadataString(
  text: string,
  before: readonly (readonly [string, Variant])[] = [],
): readonly (readonly [string, Variant])[] {
  const equals = text.indexOf('=');
  const key = text.slice(0, equals);
  if (equals < 1) throw new InvalidArgumentError('expected KEY=VALUE.');
  if (key.startsWith('pine.') || key.startsWith('ostree.ref-binding')) {
    throw new InvalidArgumentError(`${key} is written by pinectl itself.`);
  }
  if (before.some(([present]) => present === key)) {
    throw new InvalidArgumentError(`${key} is there twice.`);
  }
  return [...before, [key, { type: 's', value: text.slice(equals + 1) }]];
}

/** `@SECONDS`, SECONDS or an ISO 8601 time, as whole seconds since 1970. */
export function parseTimestamp(text: string): number {
  const seconds = /^@?(\d{1,15})$/.exec(text)?.[1];
  const time = seconds === undefined ? parseIso(text) : Number(seconds);
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw new InvalidArgumentError('expected @SECONDS or a time such as 2026-01-31T12:00:00Z.');
}

/** What Node.js takes for a time besides (`web 3`, 30 February) is a slip; NaN for it. */
function parseIso(text: string): number {
  const form = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;
  const day = form.exec(text)?.[1] ?? '';
  const midnight = new Date(`${day}T00:00:00Z`);
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  return isDay ? Math.floor(Date.parse(text) / 1000) : Number.NaN;
}

/** The commit's time when none is given: SOURCE_DATE_EPOCH (reproducible builds), or now. */
export function defaultTimestamp(now: number, epoch = process.env.SOURCE_DATE_EPOCH): number {
  return epoch === undefined || epoch === '' ? now : parseTimestamp(epoch);
}

/** A user or group id. */
export function parseId(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && id < 0xffffffff) return id;
  throw new InvalidArgumentError('expected a number from 0 to 4294967294.');
}

/** `dir=FOLDER`, `tar=FILE`, `ref=COMMIT`, `apk=FILE` or a folder alone, added to those before it. */
export function parseTree(text: string, before: readonly TreeSource[] = []): TreeSource[] {
  const [, kind = 'dir', name = text] = /^(dir|tar|ref|apk)=(.*)$/s.exec(text) ?? [];
  if (name === '') throw new InvalidArgumentError(`expected ${kind}=NAME.`);
  return [...before, { kind: kind as TreeSource['kind'], name }];
}

/** Collects an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
