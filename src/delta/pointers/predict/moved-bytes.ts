/** Bytes `from` to `to` of a page, which move by `shift` with the copy `hint`; of their sites, those in `mask` are predicted. */
export interface MovedBytes {
  readonly from: number;
  readonly to: number;
  readonly mask: number;
  readonly hint: number;
  readonly shift: number;
}
