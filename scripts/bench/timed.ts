import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { CannotMeasure, type Contestant } from './measurement.ts';

/** A program to be timed. */
export interface Job {
  readonly name: string;
  /** Makes everything as it was, outside of the measured time. */
  prepare?(): Promise<void>;
  command(): readonly [program: string, ...args: string[]];
  /** Files that must be on stable storage when the time ends; for programs that do not see to it themselves. */
  readonly sync?: readonly string[];
  /** It has other programs do the work: its own memory tells nothing, and is left out. */
  readonly onlyStarts?: boolean;
  /** Other figures, asked for after each run; those of the last are kept. */
  bytes?(): Record<string, number>;
}

export const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const sampleEvery = 5;

/** Runs each job in turn, again and again, so that what else the machine does meets all of them. */
export async function compare(jobs: readonly Job[], runs: number): Promise<Contestant[]> {
  const times = jobs.map((): number[] => []);
  const processor = jobs.map((): number[] => []);
  const peaks = jobs.map(() => 0);
  const bytes = jobs.map((): Record<string, number> | undefined => undefined);
  for (let run = 0; run < runs; run += 1) {
    for (const [index, job] of jobs.entries()) {
      await job.prepare?.();
      await runProgram(['sync']);
      const spent = await timed(job);
      times[index]?.push(spent.seconds);
      processor[index]?.push(spent.processor);
      if (!job.onlyStarts) peaks[index] = Math.max(peaks[index] ?? 0, spent.peak);
      bytes[index] = job.bytes?.();
    }
  }
  return jobs.map(({ name }, index) => ({
    name,
    seconds: median(times[index] ?? []),
    runs: times[index] ?? [],
    processor: median(processor[index] ?? []),
    ...(peaks[index] ? { peakMemory: peaks[index] } : {}),
    ...(bytes[index] === undefined ? {} : { bytes: bytes[index] }),
  }));
}

async function timed(job: Job): Promise<{ seconds: number; processor: number; peak: number }> {
  const started = performance.now();
  const { processor, peak } = await runProgram(job.command());
  for (const path of job.sync ?? []) {
    const file = await open(path, 'r+');
    await file.sync().finally(() => file.close());
  }
  return { seconds: (performance.now() - started) / 1000, processor, peak };
}

/** Runs a program and gives what it printed, its processor time, and the most memory that it had. Throws when it fails. */
export async function runProgram([program, ...args]: readonly [string, ...string[]]): Promise<{
  output: string;
  processor: number;
  peak: number;
}> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  let [peak, processor] = [0, 0];
  // The kernel keeps both itself: only what comes in the last few milliseconds can be missed.
  const timer = setInterval(() => {
    peak = Math.max(peak, peakMemory(child.pid));
    processor = Math.max(processor, processorTime(child.pid));
  }, sampleEvery);
  const [output = '', errors = ''] = ['', ''];
  const texts = { output, errors };
  child.stdout.on('data', (data) => {
    texts.output += data;
  });
  child.stderr.on('data', (data) => {
    texts.errors += data;
  });
  try {
    const [status] = await once(child, 'close');
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${texts.errors}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CannotMeasure(`this machine lacks ${program}`);
  } finally {
    clearInterval(timer);
  }
  return { output: texts.output, processor, peak };
}

/** Bytes; 0 when the process is gone, or this is not Linux. */
function peakMemory(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return 1024 * Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Seconds, in steps of a hundredth; 0 when the process is gone, or this is not Linux. */
function processorTime(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which may have anything in it: of the process and of its children, as a user and in the kernel.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  } catch {
    return 0;
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[middle - (sorted.length % 2 === 0 ? 1 : 0)], sorted[middle]];
  return (low + high) / 2;
}
