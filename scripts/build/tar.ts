/** A member of a tar. Paths are relative, a directory's without the slash at its end. */
export type TarMember =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly content: Uint8Array;
    }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

const typeFlags = { file: '0', directory: '5', symlink: '2' } as const;

/**
 * Writes a tar (POSIX ustar) whose bytes follow from its members alone: sorted by path, owned by
 * root, time 0. Throws RangeError for a name of more than 100 bytes.
 */
export function encodeTar(members: readonly TarMember[]): Buffer {
  const sorted = [...members].sort((a, b) => (a.path < b.path ? -1 : 1));
  return Buffer.concat([...sorted.flatMap(encodeMember), Buffer.alloc(1024)]);
}

function encodeMember(member: TarMember): Buffer[] {
  const name = member.kind === 'directory' ? `${member.path}/` : member.path;
  const target = member.kind === 'symlink' ? member.target : '';
  const content = member.kind === 'file' ? member.content : new Uint8Array();
  if (Math.max(Buffer.byteLength(name), Buffer.byteLength(target)) > 100) {
    throw new RangeError(`too long for a tar: ${name}`);
  }
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  header.write(name, 0);
  octal(member.kind === 'symlink' ? 0o777 : member.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148, 'latin1'); // the checksum counts itself as blanks
  header.write(typeFlags[member.kind], 156, 'latin1');
  header.write(target, 157);
  header.write('ustar\x0000root', 257, 'latin1');
  header.write('root', 297, 'latin1');
  header.write(
    `${header
      .reduce((total, byte) => total + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  );
  return [header, Buffer.from(content), Buffer.alloc(-content.length & 511)];
}
