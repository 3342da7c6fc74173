/** What is to be known of an ext4 file system that will be shrunk. Sizes are bytes. */
export interface Ext4Facts {
  readonly blockSize: number;
  readonly size: number;
  /** What it can be shrunk to, as resize2fs estimates it. */
  readonly least: number;
  readonly inodes: number;
  readonly features: readonly string[];
  /** As `clean`; a mounted one is that as well. */
  readonly state: string;
}

/**
 * Reads what `dumpe2fs -h` and `resize2fs -P` print of a file system, mounted or not. `undefined` when
 * that is not there.
 */
export function parseExt4(header: string, minimum: string): Ext4Facts | undefined {
  const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(header)?.[1];
  const number = (name: string) => Number(field(name) ?? Number.NaN);
  const blockSize = number('Block size');
  const least = Number(/minimum size of the filesystem: (\d+)/.exec(minimum)?.[1] ?? Number.NaN);
  const facts = {
    blockSize,
    size: number('Block count') * blockSize,
    least: least * blockSize,
    inodes: number('Inode count'),
    features: (field('Filesystem features') ?? '').split(/\s+/),
    state: field('Filesystem state') ?? '',
  };
  return [facts.size, facts.least, facts.inodes].every(Number.isFinite) ? facts : undefined;
}
