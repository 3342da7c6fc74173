import type { Machine } from '../machine.ts';
import { oldSystemProblemFile } from '../paths.ts';

const limit = 4096;

/** Notes for `status` what went wrong with the old system at this boot, or that nothing did. */
export async function noteProblem(machine: Machine, problem: string | undefined): Promise<void> {
  const path = oldSystemProblemFile(machine);
  if (problem === undefined) return machine.files.remove(path);
  await machine.files.makeFolder(machine.volatile, 0o755);
  await machine.files.writeFile(path, Buffer.from(problem.slice(0, 1000)), 0o644);
}

/** What went wrong at this boot. */
export async function readProblem(machine: Machine): Promise<string | undefined> {
  const bytes = await machine.files.readFile(oldSystemProblemFile(machine), limit);
  return bytes?.toString('utf8');
}
