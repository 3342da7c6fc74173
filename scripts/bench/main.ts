import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes } from '../../src/cli/output.ts';
import { PineError } from '../../src/error.ts';
import { pairs } from './delta-pairs.ts';
import { type Bench, CannotMeasure } from './measurement.ts';
import { ownPair } from './own-pair.ts';
import { type Loaded, pairMeasurements } from './pair-measurements.ts';
import { makeRoots } from './roots.ts';
import { formatResult } from './table.ts';
import { compare } from './timed.ts';

const usualRuns = 5;

/** Pairs whose deltas are applied, too; of a server and its variants one will do. */
const applied = ['make-root', 'mini', 'mini-arm64', 'node', 'kernel', 'server'];

const known: Record<string, () => Promise<Loaded>> = {
  ...Object.assign(
    {},
    ...Object.entries(pairs).map(([name, pair]) =>
      pairMeasurements(name, pair, applied.includes(name)),
    ),
  ),
  commit: () => import('./commit.ts'),
  'commit-again': () => import('./commit-again.ts'),
  history: () => import('./history.ts'),
  image: () => import('./image.ts'),
  'slot-write': () => import('./slot-write.ts'),
  start: () => import('./start.ts'),
  upgrade: () => import('./upgrade.ts'),
};

const help = `Usage: npm run bench -- [NAME…] [--old PATH --new PATH] [--runs N] [--disk-rate N] [--json]

Measures pine next to the stock tools and prints what it found; nothing is asserted.
Names: ${Object.keys(known).join(', ')}
(default: all; \`delta\` is all of delta:…). --runs: of each; ${usualRuns}, or 1 of what takes minutes, unless told otherwise.
--old, --new: a pair of your own, two files or two folders: \`delta\`, \`apply\` and \`apply-http\` are of it alone (and by default \`delta\`).
--disk-rate: MB a second that the disk reads and writes for \`apply:…\`, both together; by default as many as it can.
Files go to $TMPDIR; PINE_BENCH_ROOTS=FOLDER takes the Alpine roots v1 and v2 from there.`;

const { values, positionals } = parseCommandLine();
const measurements = ownMeasurements() ?? known;
const all = Object.keys(measurements);
const usual = measurements === known ? all : ['delta'];
const names = (positionals.length > 0 ? positionals : usual).flatMap((name) => {
  const parts = all.filter((each) => each.startsWith(`${name}:`));
  return parts.length > 0 ? parts : [name];
});
const unknown = names.find((name) => !Object.hasOwn(measurements, name));
const runs = values.runs === undefined ? undefined : Number(values.runs);
const rate = values['disk-rate'] === undefined ? undefined : Number(values['disk-rate']);
const isWrong = (count: number | undefined) =>
  count !== undefined && !(Number.isInteger(count) && count > 0);
if (values.help || unknown !== undefined || isWrong(runs) || isWrong(rate)) {
  console.error(unknown === undefined ? help : `no measurement ${unknown}\n\n${help}`);
  process.exit(values.help ? 0 : 2);
}

const folder = mkdtempSync(join(tmpdir(), 'pine-bench-'));
process.on('SIGINT', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
});
const about = await machine();
const report: Record<string, unknown> = { machine: about };
if (!values.json) console.log(`${about.join('\n')}\n`);
try {
  let roots: ReturnType<typeof makeRoots> | undefined;
  for (const name of names) {
    const own = mkdtempSync(join(folder, `${name.replace(':', '-')}-`));
    const result = await measureOne(name, {
      folder: own,
      ...(rate === undefined ? {} : { diskRate: rate * 1e6 }),
      roots: () => {
        roots ??= makeRoots(folder);
        return roots;
      },
    });
    rmSync(own, { recursive: true });
    report[name] = result;
    if (values.json) continue;
    console.log(
      'missing' in result
        ? `${name}: not measured: ${result.missing}\n`
        : `${formatResult(name, result)}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (values.json) console.log(JSON.stringify(report, null, 2));

/** Those of the pair that the command line names, if it does. */
function ownMeasurements(): typeof known | undefined {
  const { old, new: updated } = values;
  if (old === undefined && updated === undefined) return undefined;
  try {
    if (old === undefined || updated === undefined)
      throw new TypeError('--old and --new belong together');
    return pairMeasurements('own', ownPair(resolve(old), resolve(updated)), true);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

async function measureOne(name: string, bench: Omit<Bench, 'runs'>) {
  try {
    const loaded = await measurements[name]?.();
    if (loaded === undefined) throw new CannotMeasure('there is no such measurement');
    return await loaded.measure({ ...bench, runs: runs ?? loaded.usualRuns ?? usualRuns });
  } catch (error) {
    if (error instanceof CannotMeasure) return { missing: error.message };
    process.exitCode = 1;
    const text = error instanceof PineError ? error.toText() : String(error);
    return { missing: `it failed\n${text}` };
  }
}

/** What the figures depend on. */
async function machine(): Promise<string[]> {
  const [idle] = await compare([{ name: '', command: () => [process.execPath, '-e', '0'] }], 3);
  const type = statfsSync(folder).type;
  return [
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${formatBytes(totalmem())}, load ${loadavg()[0]?.toFixed(1)}`,
    `Node.js ${process.version}, which takes ${idle?.seconds.toFixed(2)} s and ${formatBytes(idle?.peakMemory ?? 0)} to do nothing`,
    type === 0x01021994
      ? `${folder} is in memory (tmpfs): writing to stable storage costs nothing there; set TMPDIR to a disk`
      : `${folder} is on a file system of type 0x${type.toString(16)}`,
  ];
}

function parseCommandLine() {
  try {
    return parseArgs({
      options: {
        old: { type: 'string' },
        new: { type: 'string' },
        runs: { type: 'string' },
        'disk-rate': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(2);
  }
}
