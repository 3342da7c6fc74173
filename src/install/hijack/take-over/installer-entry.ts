import { encodeEnvironmentBlock } from '../../../boot/grub/environment-block.ts';

/** Where the installer and what it installs lie on the old system. */
export const stagingFolder = '/boot/pine-hijack';
/** What Debian's grub.cfg sources at its end, where it is. */
export const customCfg = '/boot/grub/custom.cfg';

/** Bytes of the environment block: one sector, so that it changes as a whole. */
export const stageBlockSize = 512;

/** How far a take-over is, as GRUB and the installer have it in `env`. */
export interface Stage {
  /** `staged`: nothing is written. `writing`: the first write is done, or under way. */
  readonly stage: 'staged' | 'writing';
  /** How often GRUB still starts the installer. */
  readonly starts: number;
}

/** Starts that the installer gets from the first write on: a power cut may come in each. */
export const startsWhileWriting = 9;

/** Encodes `env`: one sector. */
export function encodeStage({ stage, starts }: Stage): Buffer {
  return encodeEnvironmentBlock(
    [
      ['pine_stage', stage],
      ['pine_starts', String(starts)],
    ],
    stageBlockSize,
  );
}

/** What custom.cfg begins with. */
export const customCfgMark = '# Written by pinectl hijack';

/**
 * The old system's GRUB script, sourced before its menu is shown: starts the installer as often as `env`
 * says, which it counts down first. A count that can't be saved is no start (as S4), so that a GRUB that
 * can't save never loops. What fails before the kernel starts ends in the old system.
 */
export function installerEntry(fileSystemUuid: string, installerArguments: string): string {
  const counts = Array.from({ length: startsWhileWriting }, (_, index) => [
    `  if [ "$pine_starts" = ${index + 1} ]; then set pine_left=${index}; fi`,
  ]).flat();
  return `${[
    `${customCfgMark}: starts the installer once. \`pinectl hijack --cancel\` removes it.`,
    '# pine_previous: pine is installed, and its GRUB starts this system because pine did not come up.',
    'if [ -z "$pine_previous" ]; then',
    `  search --no-floppy --fs-uuid --set=pine_old ${fileSystemUuid}`,
    `  set pine_folder="($pine_old)${stagingFolder}"`,
    '  set pine_starts=',
    '  set pine_left=',
    '  set pine_stage=',
    '  load_env --file "$pine_folder/env" pine_stage pine_starts',
    ...counts.reverse(),
    '  if [ -n "$pine_left" ]; then',
    '    set pine_starts="$pine_left"',
    '    if save_env --file "$pine_folder/env" pine_starts; then',
    '      set pine_starts=',
    '      load_env --file "$pine_folder/env" pine_starts',
    '      if [ "$pine_starts" = "$pine_left" ]; then',
    '        if hashsum --hash sha256 --check "$pine_folder/boot.sha256" --prefix "$pine_folder"; then',
    '          echo "Starting the installer of pine"',
    `          if linux "$pine_folder/vmlinuz" ${installerArguments} pine.stage=$pine_stage; then`,
    '            if initrd "$pine_folder/initramfs"; then boot; fi',
    '            # A second kernel in one run of GRUB gets a damaged command line.',
    '            reboot',
    '          fi',
    '        fi',
    '      fi',
    '    fi',
    '  fi',
    'fi',
  ].join('\n')}\n`;
}
