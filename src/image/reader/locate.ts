import { inodeType } from '../squashfs/format.ts';
import type { Image } from './open-image.ts';
import { walkInodes } from './walk-image.ts';

/** What a byte of an image belongs to, for a message about damage. */
export type ImagePlace =
  | { readonly kind: 'file'; readonly paths: readonly string[] }
  | { readonly kind: 'table'; readonly name: string };

/** Paths that are told of a file that lies under many names. */
const maxPaths = 8;

/** Tells what the byte at `position` of an image belongs to: a table, or files by their paths. */
export async function locateByte(image: Image, position: number): Promise<ImagePlace> {
  const { inodeTable, directoryTable, directoryTableEnd, idTable, bytesUsed } = image.superblock;
  const tables: [number, string][] = [
    [bytesUsed, 'the padding'],
    [idTable, 'the id and attribute tables'],
    [directoryTableEnd, 'the id and attribute tables'],
    [directoryTable, 'the directory table'],
    [inodeTable, 'the inode table'],
  ];
  const table = tables.find(([start]) => position >= start);
  if (table !== undefined) return { kind: 'table', name: table[1] };
  const paths: string[] = [];
  for await (const { path, inode } of walkInodes(image)) {
    if (inode.type !== inodeType.file || paths.length === maxPaths) continue;
    if (position >= inode.start && position < inode.start + inode.size) paths.push(path);
  }
  if (paths.length === 0) return { kind: 'table', name: 'the superblock' };
  return { kind: 'file', paths };
}
