import { isRecord, parseJson } from '../deploy/json.ts';

/** Paths that the administrator pinned as local: a merge leaves them, and all below them, as they are. */
export type Marks = readonly string[];

/** The most that marks.json may be, in bytes. */
export const marksLimit = 256 * 1024;
const mostMarks = 1000;

/** Where the marks of a machine are kept. */
export function marksFile(data: string): string {
  return `${data}/pine/etc/marks.json`;
}

/** Reads marks.json; `undefined` when it is not what pine writes. */
export function parseMarks(bytes: Uint8Array): Marks | undefined {
  const value = parseJson(bytes);
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.marks)) return undefined;
  const marks = value.marks.filter(isEtcPath);
  return marks.length === value.marks.length && marks.length <= mostMarks ? marks : undefined;
}

/** The bytes of marks.json: each path once, sorted. Names that are not UTF-8 become `\udcXX`. */
export function formatMarks(marks: Marks): Buffer {
  const value = { version: 1, marks: [...new Set(marks)].sort() };
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** Whether a path or a folder above it is pinned. */
export function isMarked(marks: Marks, path: string): boolean {
  return marks.some((mark) => path === mark || path.startsWith(`${mark}/`));
}

/** Whether a value is a path relative to /etc that stays inside it: `ssh/sshd_config`. */
export function isEtcPath(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > 4096) return false;
  return !value.includes('\0') && !value.split('/').some((part) => /^\.{0,2}$/.test(part));
}
