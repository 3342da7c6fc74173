import { type Layout, parseLayout } from '../../src/disk/layout.ts';

/** Sizes as a layout.cfg has them. */
export interface SmallLayout {
  /** Of the EFI system partition, the boot partition and the slots. */
  readonly size?: string;
  /** Without one there is no swap. */
  readonly swap?: string;
  /** Without one it is what is left of the disk. */
  readonly data?: string;
}

/** The layout of a disk that is as small as a test needs it: slots of 4 MiB. */
export function smallLayout({ size = '4MiB', swap, data }: SmallLayout = {}): Layout {
  const lines = [
    'label: gpt',
    'name="bios-grub", size=1MiB, type=21686148-6449-6E6F-744E-656564454649',
    `name="esp", size=${size}, type=U`,
    ...['boot', 'root-a', 'root-b'].map((name) => `name="${name}", size=${size}`),
    ...(swap === undefined ? [] : [`name="swap", size=${swap}, type=S`]),
    `name="data"${data === undefined ? '' : `, size=${data}`}`,
  ];
  return parseLayout(`${lines.join('\n')}\n`, 'small.cfg');
}
