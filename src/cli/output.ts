/** Prints a result: as one JSON document with --json, else as the lines that `text` gives. */
export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  const output = json ? JSON.stringify(value, null, 2) : visible(text(), process.stdout);
  if (output !== '') process.stdout.write(`${output}\n`);
}

/**
 * A text as it may go to a terminal: control characters become `\x1b`, since names and versions are others' words, which a
 * terminal would obey. What goes elsewhere stays as it is.
 */
export function visible(text: string, { isTTY }: { readonly isTTY?: boolean }): string {
  if (!isTTY) return text;
  const code = (letter: string) => letter.charCodeAt(0).toString(16).padStart(2, '0');
  return text.replace(/(?![\n\t])\p{Cc}/gu, (letter) => `\\x${code(letter)}`);
}

/** The same of a name, which must not begin a line either. */
export function visibleName(text: string, stream: { readonly isTTY?: boolean }): string {
  return stream.isTTY ? visible(text, stream).replaceAll('\n', '\\x0a') : text;
}

/** A size as people read it: `12.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** A time in seconds since 1970 as people read it, in UTC: `2025-06-15T12:00:00Z`. */
export function formatTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? String(seconds) : time.toISOString().replace('.000Z', 'Z');
}
