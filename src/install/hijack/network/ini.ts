/** A section of an INI file: its name, and its keys in order. Keys and sections may be there again. */
export interface IniSection {
  readonly name: string;
  readonly entries: readonly (readonly [key: string, value: string])[];
}

/** Parses an INI file as systemd and NetworkManager write it. A line that is none is passed over. */
export function parseIni(text: string): IniSection[] {
  const sections: { name: string; entries: (readonly [string, string])[] }[] = [];
  for (const raw of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const header = /^\[(.+)\]$/.exec(line);
    const pair = /^([^=]+?)\s*=\s*(.*)$/.exec(line);
    if (header?.[1] !== undefined) sections.push({ name: header[1], entries: [] });
    else if (pair?.[1] !== undefined) sections.at(-1)?.entries.push([pair[1], pair[2] ?? '']);
  }
  return sections;
}

/** Every value of a key in the sections of a name, in order. An empty one takes back those before it. */
export function allValues(sections: readonly IniSection[], name: string, key: string): string[] {
  const values = sections
    .filter((section) => section.name === name)
    .flatMap((section) => section.entries)
    .filter(([found]) => found === key)
    .map(([, value]) => value);
  return values.slice(values.lastIndexOf('') + 1);
}

/** The last value of a key in the sections of a name. */
export function lastValue(
  sections: readonly IniSection[],
  name: string,
  key: string,
): string | undefined {
  return allValues(sections, name, key).at(-1);
}
