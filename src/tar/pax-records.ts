import { corruptTar } from './corrupt-tar.ts';

/** Values by keyword. They are bytes: those of `SCHILY.xattr.*` may be anything. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Reads `LENGTH KEYWORD=VALUE\n` records. Source: POSIX.1-2017, "pax Extended Header". Throws CORRUPT_TAR. */
export function decodePaxRecords(bytes: Buffer, offset: number): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = bytes.toString('latin1', at, blank < 0 ? at : Math.min(blank, at + 12));
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const record = bytes.subarray(Math.max(blank + 1, at), end);
    const equals = record.indexOf(0x3d);
    if (blank < at || end > bytes.length || equals < 1 || record.at(-1) !== 0x0a) {
      const found = JSON.stringify(bytes.toString('latin1', at, at + 40));
      throw corruptTar('an extended header is damaged', 'LENGTH KEYWORD=VALUE', found, offset + at);
    }
    records.set(record.toString('utf8', 0, equals), record.subarray(equals + 1, -1));
    at = end;
  }
  return records;
}

/** The reverse: records in the given order. */
export function encodePaxRecords(records: Iterable<readonly [string, Uint8Array]>): Buffer {
  return Buffer.concat([...records].map(([keyword, value]) => encodeRecord(keyword, value)));
}

/** The length counts its own digits. */
function encodeRecord(keyword: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** What stands before an xattr's name in a keyword. */
export const xattrKeyword = 'SCHILY.xattr.';

/** A keyword ends at the first `=`, so GNU tar writes one in an xattr's name as `%3D`. */
export function encodeXattrName(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('=', '%3D');
}

/** The reverse of `encodeXattrName`; other `%` are left as they are. */
export function decodeXattrName(name: string): string {
  return name.replaceAll('%3D', '=').replaceAll('%25', '%');
}
