import { file, folder, type Member } from './members.ts';

/** Programs of an image that would set a machine up once more at its first boot: the address, host keys, partitions. */
export interface CloudPrograms {
  readonly cloudInit: boolean;
  readonly tinyCloud: boolean;
}

/** Where an image has cloud-init. */
export const cloudInitPrograms = [
  ...['/usr/bin/cloud-init', '/etc/cloud/cloud.cfg', '/etc/init.d/cloud-init'],
] as const;

/** Where an image has tiny-cloud, in version 3 and before. */
export const tinyCloudPrograms = [
  ...['/sbin/tiny-cloud', '/usr/sbin/tiny-cloud', '/etc/tiny-cloud.conf'],
  ...['/etc/init.d/tiny-cloud-early', '/etc/conf.d/tiny-cloud'],
] as const;

/**
 * Should somebody enable cloud-init again: what was carried over stays, and the disk is pine's. Read last, so that
 * it counts.
 */
const cloudInitSettings = `# Written by pinectl hijack: network, host keys and the disk are not cloud-init's.
network:
  config: disabled
preserve_hostname: true
ssh_deletekeys: false
disable_root: false
growpart:
  mode: 'off'
resize_rootfs: false
`;

/** The files that keep these programs from doing anything. Only for what the image has. */
export function switchedOff({ cloudInit, tinyCloud }: CloudPrograms): Member[] {
  return [
    ...(cloudInit
      ? [
          folder('etc/cloud/'),
          file('etc/cloud/cloud-init.disabled', ''),
          folder('etc/cloud/cloud.cfg.d/'),
          file('etc/cloud/cloud.cfg.d/99-pine-hijack.cfg', cloudInitSettings),
        ]
      : []),
    ...(tinyCloud ? [file('etc/tiny-cloud.disabled', '')] : []),
  ];
}
