/** What `[etc]` of pinectl.toml says about the history. */
export interface HistorySettings {
  /** Revisions of each branch that are kept. */
  readonly keep: number;
}

export const standardHistory: HistorySettings = { keep: 100 };
