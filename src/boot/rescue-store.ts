/**
 * A small copy of what makes a machine reachable (network, host keys, authorized keys), kept where
 * a lost data partition does not take it along (S11).
 */
export interface RescueStore {
  /** The newest whole copy, a tar; `undefined` when there is none. */
  readRescue(): Promise<Buffer | undefined>;
  /** Replaces the older of the two copies. Throws SPACE_RESCUE when `tar` is too large. */
  writeRescue(tar: Uint8Array): Promise<void>;
}
