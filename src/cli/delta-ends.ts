import { nothing } from '../delta/delta-path.ts';

/** A delta from nothing is from `''`, as on the command line. */
export function withNothing<T extends { readonly from: string }>(delta: T): T {
  return delta.from === nothing ? { ...delta, from: '' } : delta;
}

/** What a delta is between, as people read it. */
export function endsOf({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from === nothing ? '(nothing)' : from}..${to}`;
}
