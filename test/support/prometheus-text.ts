/** A sample as a Prometheus server reads it. */
export interface ReadSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const name = /[a-zA-Z_:][a-zA-Z0-9_:]*/.source;
const label = /[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"/.source;
const samplePattern = new RegExp(
  `^(?<name>${name})(?:\\{(?<labels>${label}(?:,${label})*)\\})? (?<value>[0-9.e+-]+)$`,
);

/**
 * Reads the text format 0.0.4 as strictly as its description: HELP, TYPE and all samples of a metric in one block, each
 * once, no two samples alike. Throws an Error that names the line.
 */
export function readMetrics(text: string): readonly ReadSample[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no line feed');
  const samples: ReadSample[] = [];
  const seen = new Set<string>();
  const all = new Set<string>();
  let current: string | undefined;
  let state: 'help' | 'type' | 'samples' = 'samples';
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const help = new RegExp(`^# HELP (${name}) (?:[^\\\\]|\\\\[\\\\n])+$`).exec(line);
    const type = new RegExp(`^# TYPE (${name}) gauge$`).exec(line);
    const sample = samplePattern.exec(line)?.groups;
    if (help !== null && state === 'samples') {
      current = String(help[1]);
      if (seen.has(current)) throw new Error(`a metric comes twice: ${line}`);
      seen.add(current);
      state = 'help';
    } else if (type !== null && state === 'help' && type[1] === current) {
      state = 'type';
    } else if (sample !== undefined && state !== 'help' && sample.name === current) {
      state = 'samples';
      const series = line.slice(0, line.lastIndexOf(' '));
      if (all.has(series)) throw new Error(`a sample comes twice: ${line}`);
      all.add(series);
      const value = Number(sample.value);
      if (!Number.isFinite(value)) throw new Error(`no number: ${line}`);
      samples.push({ name: String(sample.name), labels: readLabels(sample.labels), value });
    } else {
      throw new Error(`not expected here: ${line}`);
    }
  }
  return samples;
}

function readLabels(text = ''): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const match of text.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)) {
    const [, key = '', value = ''] = match;
    if (found.has(key)) throw new Error(`a label comes twice: ${text}`);
    found.set(
      key,
      value.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter)),
    );
  }
  return found;
}
