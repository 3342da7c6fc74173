/** A line of /proc/mounts. */
export interface Mount {
  readonly source: string;
  readonly place: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Bytes of the largest /proc/mounts that is read. */
export const mountTableLimit = 1024 * 1024;

/** Reads /proc/mounts, in which blanks and backslashes stand as octal numbers (getmntent(3)). Oldest first. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [source, place, type, options] = line.split(' ').map(unescapeOctal);
    if (source === undefined || place === undefined || type === undefined) return [];
    return [{ source, place, type, options: (options ?? '').split(',') }];
  });
}

/** The mounts that can be seen: of several in one place the last one counts. */
export function visibleMounts(mounts: readonly Mount[]): readonly Mount[] {
  return [...new Map(mounts.map((mount) => [mount.place, mount])).values()];
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
