/** Reports how far a long operation is: bytes done of bytes in all, and what is being done. */
export type Progress = (done: number, total: number, doing: string) => void;
