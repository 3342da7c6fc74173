import { valueForm } from './value-form.ts';

/** Sites are looked for in pages of an old file, each by itself. */
export const pageSize = 4096;

/** No more of a page count. */
export const maxSites = 1024;

/** The sites of one page, in the order in which they were found: a column for each thing that is known of them. */
export class Sites {
  count = 0;
  /** Where it lies in the page, and its bytes. */
  readonly at = new Int32Array(maxSites);
  readonly width = new Int32Array(maxSites);
  /** Its class (`pointerClass`). */
  readonly kind = new Int32Array(maxSites);
  /** How its value is made of the target's address (`valueForm`), and what that needs. */
  readonly form = new Int32Array(maxSites);
  readonly target = new Float64Array(maxSites);
  readonly extra = new Int32Array(maxSites);
  readonly base = new Float64Array(maxSites);

  add(
    at: number,
    kind: number,
    form: number,
    target: number,
    extra = 0,
    base = 0,
    width = form === valueForm.address ? 8 : 4,
  ): void {
    if (this.count === maxSites) return;
    const index = this.count++;
    this.at[index] = at;
    this.kind[index] = kind;
    this.width[index] = width;
    this.form[index] = form;
    this.target[index] = target;
    this.extra[index] = extra;
    this.base[index] = base;
  }
}
