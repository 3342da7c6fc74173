/** What is counted: bytes, or things such as objects. */
export type ProgressUnit = 'bytes' | 'items';

/** Reports how far a long operation is: how much is done of how much in all, and what is being done. */
export type Progress = (done: number, total: number, doing: string, unit?: ProgressUnit) => void;
