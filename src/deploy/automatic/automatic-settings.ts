import { invalidConfiguration, numberIn, tableIn } from '../configuration-values.ts';
import { isTimeZone } from './local-time.ts';
import { parseWindow, type Window } from './window.ts';

/** The part `[automatic]` of pinectl.toml. */
export interface AutomaticSettings {
  readonly enabled: boolean;
  /** When it looks for something new, once each time. */
  readonly when: Window;
  /** When it may reboot. */
  readonly reboot: Window;
  /** `stage`: the reboot is somebody else's. */
  readonly how: 'stage' | 'reboot';
  /** Whether files of /etc that are in conflict keep it from upgrading, as `upgrade --strict`. */
  readonly strict: boolean;
  /** Seconds after the window's start within which machines spread themselves. */
  readonly delay: number;
  /** `undefined`: the system's own. */
  readonly timeZone: string | undefined;
}

const names = ['enabled', 'when', 'reboot', 'how', 'strict', 'delay', 'timezone'];

/** Reads `[automatic]`. Throws INPUT_CONFIGURATION. */
export function parseAutomatic(value: unknown, where: string): AutomaticSettings {
  const given = tableIn(value ?? {}, names, { what: '[automatic]', where });
  const { enabled = false, when = '02:00-05:00', how = 'reboot', strict = false, timezone } = given;
  const invalid = (name: string, expected: string) =>
    invalidConfiguration(where, expected, JSON.stringify(given[name]));
  if (typeof enabled !== 'boolean') throw invalid('enabled', 'automatic.enabled = true or false');
  if (typeof strict !== 'boolean') throw invalid('strict', 'automatic.strict = true or false');
  if (how !== 'stage' && how !== 'reboot') {
    throw invalid('how', 'automatic.how = "stage" or "reboot"');
  }
  if (timezone !== undefined && (typeof timezone !== 'string' || !isTimeZone(timezone))) {
    throw invalid('timezone', 'automatic.timezone = "Europe/Berlin"');
  }
  return {
    enabled,
    when: parseWindow(when, 'automatic.when', where),
    reboot: parseWindow(given.reboot ?? when, 'automatic.reboot', where),
    how,
    strict,
    delay: numberIn(given.delay, 3600, [0, 86_400], 'automatic.delay', where),
    timeZone: timezone,
  };
}
