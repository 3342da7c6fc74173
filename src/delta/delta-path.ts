/** The folder of a repository that has its deltas. */
export const deltaFolder = 'pine/deltas';

/** Where the delta from one commit to another lies in a repository. */
export function deltaPath({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${deltaFolder}/${to}/${from}.delta`;
}
