import { parseAttempts } from '../deploy/attempts.ts';
import { explainFallBack } from '../deploy/fall-back.ts';
import type { TakeOverStatus } from '../install/hijack/take-over/read-status.ts';
import { formatTime } from './output.ts';
import { describeStory } from './take-over-text.ts';

const again = '`pinectl hijack --cancel` takes what was prepared away; then it can be begun again';

/** What `hijack --status` prints on the old system. */
export function describeTakeOverStatus(status: TakeOverStatus): string {
  const { record, story } = status;
  if (status.state === 'none') return 'No take-over is prepared here';
  return [
    ...(record === undefined
      ? []
      : [
          `prepared ${formatTime(record.time)}: commit ${record.commit.slice(0, 12)} of ${record.ref}`,
        ]),
    ...describeStory(story, record === undefined || record.storyAt !== undefined),
    ...describeState(status),
  ].join('\n');
}

function describeState({ state, reason, trialLog }: TakeOverStatus): string[] {
  switch (state) {
    case 'none':
      return [];
    case 'staged':
      return ['the next boot starts the installer, once (with --kexec: `systemctl kexec` does)'];
    case 'untouched':
      return [
        `stopped before the first write, nothing was changed: ${reason ?? 'no reason is on record: a power cut, or it took longer than 15 minutes'}`,
        again,
      ];
    case 'unfinished':
      return [
        'the installer was started as often as it may be, and did not end: Debian goes on',
        again,
      ];
    case 'came-back':
      return [
        `pine was installed and left again: ${describeTrial(trialLog)}`,
        '`pinectl hijack --redo` tries it once more',
      ];
    case 'undone':
      return [
        'pine is installed, and was left by `hijack --undo`: `hijack --redo` goes back to it',
      ];
  }
}

/** Why the new system was not confirmed, as it would tell it itself. */
export function describeTrial(log: string | undefined): string {
  const attempts = parseAttempts(Buffer.from(log ?? ''));
  const running = { skipped: [], watchdogFired: false };
  return explainFallBack({ running, block: 1, tries: 0, attempts });
}
