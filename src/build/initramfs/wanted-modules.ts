/**
 * What an initramfs loads, where the kernel has it as a module: the disks of virtual and ordinary
 * machines, the file systems of slot and data, and watchdogs. In this order, with what each needs.
 */
export const wantedModules = [
  // Checksums that ext4 looks up by algorithm, so that modules.dep does not name them
  'crc32c_generic',
  'crc32c_cryptoapi',
  'crc32c_intel',
  'squashfs',
  'ext4',
  // Virtual machines
  'virtio_pci',
  'virtio_mmio',
  'virtio_blk',
  'virtio_scsi',
  'xen_blkfront',
  'hv_storvsc',
  'vmw_pvscsi',
  'mptspi',
  // Ordinary ones
  'nvme',
  'ahci',
  'ata_piix',
  'ata_generic',
  'sd_mod',
  // Watchdogs, and the buses that the Intel one hangs on
  'i6300esb',
  'lpc_ich',
  'i2c_i801',
  'iTCO_wdt',
  'sp5100_tco',
] as const;

/** Without these no slot can be mounted, on any machine. */
export const requiredModules = ['squashfs', 'ext4'] as const;
