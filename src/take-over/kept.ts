import { formatRecord, parseRecord, recordLimit, type TakeOverRecord } from './record.ts';
import { formatStory, parseStory, type StoryLine, storySize } from './story.ts';

/** How the first trial of a take-over was confirmed. */
export interface FirstConfirmation {
  /** Seconds since 1970. */
  readonly time: number;
  /** `a login of root by publickey from 10.0.2.2`. */
  readonly by: string;
}

/** What a machine keeps of the take-over that made it: `/data/pine/hijack`. */
export interface KeptTakeOver {
  readonly record: TakeOverRecord;
  readonly story: readonly StoryLine[];
  readonly confirmed: FirstConfirmation | undefined;
}

/** The most that `/data/pine/hijack` may be, in bytes. */
export const keptLimit = recordLimit + storySize + 1024;

/** Writes it: the record, how it was confirmed, an empty line, the story. */
export function formatKept({ record, story, confirmed }: KeptTakeOver): string {
  const then =
    confirmed === undefined
      ? ''
      : `confirmed_time=${confirmed.time}\nconfirmed_by=${confirmed.by.replace(/\p{Cc}/gu, '?').slice(0, 300)}\n`;
  return `${formatRecord(record)}${then}\n${formatStory(story)}`;
}

/** Reads it; `undefined` when it is damaged: nothing depends on it. */
export function parseKept(text: string): KeptTakeOver | undefined {
  const at = text.indexOf('\n\n');
  const head = at === -1 ? text : text.slice(0, at + 1);
  const record = parseRecord(head);
  if (record === undefined) return undefined;
  const time = /^confirmed_time=([0-9]{1,12})$/m.exec(head)?.[1];
  const by = /^confirmed_by=(.{1,300})$/m.exec(head)?.[1];
  return {
    record,
    story: at === -1 ? [] : parseStory(text.slice(at)),
    confirmed: time === undefined || by === undefined ? undefined : { time: Number(time), by },
  };
}
