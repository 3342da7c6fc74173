/** A line of /proc/self/mountinfo. */
export interface Mount {
  readonly mountPoint: string;
  readonly fsType: string;
  /** As `/dev/vda1`. */
  readonly source: string;
  readonly readOnly: boolean;
}

/** Parses /proc/self/mountinfo. Of two mounts on one point the later one hides the other. Source: proc(5). */
export function parseMounts(text: string): Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [fields = '', rest = ''] = line.split(' - ');
    const [, , , , mountPoint, options] = fields.split(' ');
    const [fsType, source, superOptions] = rest.split(' ');
    if (mountPoint === undefined || fsType === undefined || source === undefined) continue;
    const readOnly = [options, superOptions].some((one) => one?.split(',').includes('ro'));
    const path = plainText(mountPoint);
    mounts.delete(path);
    mounts.set(path, { mountPoint: path, fsType, source: plainText(source), readOnly });
  }
  return [...mounts.values()];
}

/** The kernel writes blanks and backslashes in octal. */
function plainText(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
