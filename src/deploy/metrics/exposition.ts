/** One line of a metric: its labels, in order, and its value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its samples; none of them, and it is left out. */
export interface Metric {
  /** `pine_conflicts`. */
  readonly name: string;
  /** What it is, in one sentence. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * Writes gauges in the text format that Prometheus and node_exporter's textfile collector read.
 * Source: Prometheus documentation, "Exposition formats", version 0.0.4.
 */
export function formatMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, samples }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} gauge`,
      ...samples.map((sample) => `${name}${formatLabels(sample)} ${sample.value}`),
      '',
    ])
    .join('\n');
}

function formatLabels({ labels }: Sample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Line feeds can be written; other control characters, and halves of pairs, are nothing for a label. */
function escapeValue(value: string): string {
  return value
    .toWellFormed()
    .replace(/(?!\n)\p{Cc}/gu, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');
}
