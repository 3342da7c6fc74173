/** The folder of a repository that has its deltas. */
export const deltaFolder = 'pine/deltas';

/** In place of the old commit's checksum: a delta that makes an image from nothing. */
export const nothing = '0'.repeat(64);

/** Where the delta from one commit to another lies in a repository. */
export function deltaPath({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${deltaFolder}/${to}/${from}.delta`;
}

/** Where the list of what leads to a commit lies. */
export function deltaIndexPath(to: string): string {
  return `${deltaFolder}/${to}/index`;
}
