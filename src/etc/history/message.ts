/** Where a recorded /etc comes from. */
export interface Origin {
  /** The deployment whose /etc it is; absent for what a release ships. */
  readonly deployment?: string;
  /** The release: its commit's checksum, and its version if it has one. */
  readonly commit?: string;
  readonly version?: string;
}

const keys = {
  deployment: 'Pine-Deployment',
  commit: 'Pine-Commit',
  version: 'Pine-Version',
} as const;

/** The message of a git commit: one line, and the origin as trailers, which git knows how to read. */
export function formatMessage(subject: string, origin: Origin): string {
  const trailers = (['deployment', 'commit', 'version'] as const).flatMap((name) => {
    const value = origin[name];
    return value === undefined || value === '' ? [] : [`${keys[name]}: ${oneLine(value)}`];
  });
  return `${[oneLine(subject), ...(trailers.length === 0 ? [] : ['', ...trailers])].join('\n')}\n`;
}

/** What `formatMessage` wrote. */
export function parseMessage(message: string): { subject: string; origin: Origin } {
  const [subject = '', ...lines] = message.split('\n');
  const origin: { -readonly [Name in keyof Origin]: Origin[Name] } = {};
  for (const name of ['deployment', 'commit', 'version'] as const) {
    const start = `${keys[name]}: `;
    const line = lines.find((line) => line.startsWith(start));
    if (line !== undefined) origin[name] = line.slice(start.length);
  }
  return { subject, origin };
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}]+/gu, ' ').slice(0, 200);
}
