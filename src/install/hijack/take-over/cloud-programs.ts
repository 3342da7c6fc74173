import { file, folder, type Member } from './members.ts';

/** Programs of an image that would set a machine up once more at its first boot: the address, host keys, partitions. */
export interface CloudPrograms {
  readonly cloudInit: boolean;
  /** The texts of tiny-cloud's settings by their paths; `undefined`: the image has no tiny-cloud. */
  readonly tinyCloud: ReadonlyMap<string, string> | undefined;
}

/** Where an image has cloud-init. */
export const cloudInitPrograms = [
  ...['/usr/bin/cloud-init', '/etc/cloud/cloud.cfg', '/etc/init.d/cloud-init'],
] as const;

/** Where an image has tiny-cloud, in version 3 and in version 2. */
export const tinyCloudPrograms = [
  ...['/sbin/tiny-cloud', '/usr/sbin/tiny-cloud', '/etc/tiny-cloud.conf'],
  ...['/etc/init.d/tiny-cloud-early', '/etc/conf.d/tiny-cloud'],
] as const;

/** Where the settings of tiny-cloud are, in version 2 and in version 3. */
export const tinyCloudSettings = ['/etc/conf.d/tiny-cloud', '/etc/tiny-cloud.conf'] as const;

/**
 * What tiny-cloud is told to leave out, put behind the image's own settings: before 3.0.4 it does not know
 * `tiny-cloud.disabled`. Those are all that it does by itself.
 */
const nothingToDo = `
# Written by pinectl hijack: what was carried over stays as it is.
SKIP_INIT_ACTIONS="expand_root install_hotplugs set_default_interfaces set_network_interfaces enable_sshd
	save_userdata create_default_user set_hostname set_ssh_keys run_userdata"
`;

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
    ...(tinyCloud === undefined
      ? []
      : [
          file('etc/tiny-cloud.disabled', ''),
          ...[...tinyCloud].map(([path, text]) => file(path.slice(1), `${text}${nothingToDo}`)),
        ]),
  ];
}
