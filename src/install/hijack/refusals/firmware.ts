import { PineError } from '../../../error.ts';
import type { HostFacts } from '../survey.ts';
import { espFolders, espNeed } from '../take-over/esp-folders.ts';

/** More than GRUB's core for UEFI takes. */
const coreSize = 2 << 20;

/** What of a machine with UEFI can't be taken over. */
export function refuseFirmware({ machine, storage, bootLoader }: HostFacts): PineError[] {
  if (machine.firmware !== 'uefi' || machine.container !== undefined) return [];
  if (machine.firmwareBits !== 64) {
    return [
      firmware('firmware of 64 bits', `${machine.firmwareBits} bits`, [
        '/sys/firmware/efi/fw_platform_size',
        'start the machine with BIOS, if it can, and install grub-pc',
      ]),
    ];
  }
  if (!machine.hasVariables) {
    return [
      firmware('variables that tell whether Secure Boot is on', 'none', [
        '/sys/firmware/efi/efivars',
        'mount them: mount -t efivarfs efivarfs /sys/firmware/efi/efivars',
      ]),
    ];
  }
  const { esp } = bootLoader;
  if (esp === undefined) {
    return [
      partition('one that is mounted on /boot/efi', 'none', [
        'this machine',
        'mount it (`mount /boot/efi`); if there is none, the machine was not started from this disk',
      ]),
    ];
  }
  if (esp.number === undefined) {
    return [
      partition(`a partition of ${storage.disk?.path ?? 'the disk of the root'}`, esp.source, [
        esp.mountPoint,
        'install an image by a rescue system: pinectl image',
      ]),
    ];
  }
  if (esp.readOnly) {
    return [
      partition('one that can be written', 'mounted ro', [
        esp.source,
        `mount it again (\`mount -o remount,rw ${esp.mountPoint}\`), and see dmesg for why it was`,
      ]),
    ];
  }
  const started = machine.startedFile?.path.split('\\') ?? [];
  const [, top, folder, program, ...deeper] = started;
  const isKnown =
    started.length === 0 ||
    (top?.toUpperCase() === 'EFI' &&
      deeper.length === 0 &&
      esp.folders.some(
        ({ name, programs }) => same(name, folder) && programs.some((one) => same(one, program)),
      ));
  if (!isKnown) {
    return [
      firmware('GRUB or shim, started by the firmware itself', started.join('\\'), [
        'the boot entry that the firmware took (efibootmgr -v)',
        'let the firmware start \\EFI\\debian\\grubx64.efi: grub-install, and reboot',
      ]),
    ];
  }
  const needed = espNeed(espFolders(esp.folders), coreSize);
  if (esp.free >= needed) return [];
  return [
    new PineError('SPACE_ESP', "the EFI system partition has no room for pine's GRUB", {
      expected: `${needed} bytes free`,
      found: `${esp.free} bytes: ${needed - esp.free} too few`,
      where: esp.source,
      remedy: `remove what is not needed from ${esp.mountPoint}`,
    }),
  ];
}

function same(name: string, other: string | undefined): boolean {
  return name.toUpperCase() === other?.toUpperCase();
}

type Place = readonly [where: string, remedy: string];

function firmware(expected: string, found: string, [where, remedy]: Place): PineError {
  const details = { expected, found, where, remedy };
  return new PineError('INPUT_FIRMWARE', "the machine's firmware can't start pine", details);
}

function partition(expected: string, found: string, [where, remedy]: Place): PineError {
  const details = { expected, found, where, remedy };
  return new PineError('INPUT_ESP', 'the EFI system partition can not be used', details);
}
