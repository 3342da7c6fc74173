/** A power cut, and what came of it. */
export interface Verdict {
  readonly phase: string;
  /** Where the power went. */
  readonly where: string;
  readonly seen: string;
  readonly failure?: string;
  readonly seconds: number;
}

/** Judges one power cut, and tells of it. What `judge` rejects with is the failure. */
export async function verdictOn(
  phase: string,
  where: string,
  judge: () => Promise<string>,
): Promise<Verdict> {
  const started = Date.now();
  const result = await judge()
    .then((seen) => ({ seen }))
    .catch((error: Error) => ({ seen: 'a failure', failure: error.message }));
  const seconds = Math.round((Date.now() - started) / 1000);
  const verdict = { phase, where, ...result, seconds };
  console.log(`e2e: cut ${phase} at ${where}: ${result.seen} (${seconds} s)`);
  return verdict;
}
