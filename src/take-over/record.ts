/**
 * What a machine is told of the take-over that made it: lines `name=value`, which a shell reads as well. It is
 * `/etc/pine/hijack` of the new system until that is confirmed, and `record` beside what was prepared on the old one.
 */
export interface TakeOverRecord {
  /** Tells this take-over from others on the same disk: 16 hex digits. */
  readonly id: string;
  /** When it was prepared, in seconds since 1970. */
  readonly time: number;
  /** The old system: `Debian GNU/Linux 12 (bookworm)`. */
  readonly system: string;
  readonly kernel: string;
  readonly hostName: string;
  readonly remote: string;
  readonly ref: string;
  readonly commit: string;
  readonly deployment: string;
  /** Seconds after its health checks after which it is confirmed without a login; `undefined`: never. */
  readonly confirmAfter: number | undefined;
  /** Seconds that each try of the first trial has. */
  readonly deadline: number;
  /** The disk, as the old system named it: `/dev/vda`. */
  readonly disk: string;
  /** The byte of the disk where the story is kept; `undefined` when there was no place for it. */
  readonly storyAt: number | undefined;
}

/** The most that a record may be, in bytes. */
export const recordLimit = 8192;

const names = {
  ...{ id: 'id', time: 'time', system: 'system', kernel: 'kernel', hostName: 'host_name' },
  ...{ remote: 'remote', ref: 'ref', commit: 'commit', deployment: 'deployment' },
  ...{ confirmAfter: 'confirm_after', deadline: 'deadline', disk: 'disk', storyAt: 'story_at' },
} as const satisfies Record<keyof TakeOverRecord, string>;

/** Writes a record; what is no number is cut to one line of 300 characters. */
export function formatRecord(record: TakeOverRecord): string {
  return Object.entries(names)
    .map(([key, name]) => `${name}=${oneLine(record[key as keyof TakeOverRecord] ?? '')}\n`)
    .join('');
}

/** Reads a record; `undefined` when a part that is needed is missing or makes no sense. Other lines are passed over. */
export function parseRecord(text: string): TakeOverRecord | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1));
  }
  const value = (key: keyof TakeOverRecord) => oneLine(values.get(names[key]) ?? '');
  const number = (key: keyof TakeOverRecord) =>
    /^[0-9]{1,15}$/.test(value(key)) ? Number(value(key)) : undefined;
  const [time, deadline] = [number('time'), number('deadline')];
  if (time === undefined || deadline === undefined) return undefined;
  if (!/^[0-9a-f]{16}$/.test(value('id'))) return undefined;
  if (!/^[0-9a-z.-]{1,32}$/.test(value('deployment'))) return undefined;
  return {
    ...{ id: value('id'), time, system: value('system'), kernel: value('kernel') },
    ...{ hostName: value('hostName'), remote: value('remote'), ref: value('ref') },
    ...{ commit: value('commit'), deployment: value('deployment') },
    ...{ confirmAfter: number('confirmAfter'), deadline },
    ...{ disk: value('disk'), storyAt: number('storyAt') },
  };
}

/** What came from outside (a host name) must not add a line, nor steer a terminal. */
function oneLine(value: string | number): string {
  return String(value)
    .replace(/\p{Cc}/gu, '?')
    .slice(0, 300);
}
