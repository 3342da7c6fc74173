import { encodePaxRecords } from '../../../src/tar/pax-records.ts';

/** A member of a tar that a test makes, also of ones that no tar program would. */
export interface Member {
  readonly name: string;
  readonly type?: string;
  readonly content?: string | Buffer;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** What the header says, when it is not the content's size. */
  readonly size?: number;
  readonly pax?: Readonly<Record<string, string | Buffer>>;
}

/** A tar with the two blocks of zeros at its end, or without. */
export function tarOf(members: readonly Member[], end = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.flatMap(blocks), end]);
}

function blocks({ pax, ...member }: Member): Buffer[] {
  const content = Buffer.from(member.content ?? '');
  const own = [header(member, content.length), content, Buffer.alloc(-content.length & 511)];
  if (pax === undefined) return own;
  const records = Object.entries(pax).map(([key, value]) => [key, Buffer.from(value)] as const);
  const extension = { name: 'PaxHeader', type: 'x', content: encodePaxRecords(records) };
  return [...blocks(extension), ...own];
}

function header(member: Member, length: number): Buffer {
  const { name, type = '0', linkName = '', mode = 0o644, uid = 0, gid = 0, size = length } = member;
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number) =>
    block.write(value.toString(8).padStart(width - 1, '0'), at);
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write(type, 156);
  block.write(linkName, 157);
  block.write('ustar\x0000', 257, 'latin1');
  block.write('        ', 148);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
