import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Verdict } from './verdict.ts';

/** Writes what came of power cuts as a table, each with its place in the log, and a line of sums. */
export function writeCutReport(path: string, seed: number, verdicts: readonly Verdict[]): void {
  const rows = verdicts.map(({ phase, where, seen, failure, seconds }) => {
    const found = (failure ?? seen).replaceAll(/\s+/g, ' ').replaceAll('|', '/');
    return `| ${phase} | ${where} | ${found} | ${seconds} |\n`;
  });
  const phases = [...new Set(verdicts.map(({ phase }) => phase))].map((phase) => {
    const own = verdicts.filter((one) => one.phase === phase);
    const good = own.filter(({ failure }) => failure === undefined).length;
    return `- ${phase}: ${good} of ${own.length} as they should be\n`;
  });
  const head = '| phase | cut at | seen | seconds |\n| --- | --- | --- | --- |\n';
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    `# Power cuts of a take-over\n\nPINE_FUZZ_SEED=${seed}\n\n${phases.join('')}\n${head}${rows.join('')}`,
  );
  console.log(`e2e: ${phases.join('')}e2e: each of them: ${path}`);
}
