import { encodeEntry, fillUp } from '../../../tar/write-tar.ts';

/** A file, folder or link of what is carried over. */
export interface Member {
  /** Without a slash before it; a folder's has one behind it. */
  readonly path: string;
  readonly content?: string | Uint8Array;
  /** Where a symbolic link leads. */
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export function file(path: string, content: string | Uint8Array): Member {
  return { path, content, mode: 0o644 };
}

export function folder(path: string): Member {
  return { path, mode: 0o755 };
}

/** A member as it stands in a tar. `time` is seconds since 1970. */
export function encode(member: Member, time: number): Buffer {
  const { path, content, target, mode = 0o777, uid = 0, gid = 0 } = member;
  const bytes = typeof content === 'string' ? Buffer.from(content) : (content ?? Buffer.alloc(0));
  const type = target !== undefined ? '2' : path.endsWith('/') ? '5' : '0';
  const header = encodeEntry({
    ...{ name: path, type, target: target ?? '', mode, uid, gid, time },
    ...{ size: bytes.length, xattrs: [] },
  });
  return Buffer.concat([header, bytes, fillUp(bytes.length)]);
}
