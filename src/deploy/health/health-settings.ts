import {
  invalidConfiguration,
  numberIn,
  type TomlTable,
  tableIn,
} from '../configuration-values.ts';
import { type BuiltIn, parseBuiltIn } from './built-in.ts';

/** The part `[health]` of pinectl.toml. */
export interface HealthSettings {
  /** Seconds that a check may take, unless `timeouts` names it. */
  readonly timeout: number;
  readonly timeouts: Readonly<Record<string, number>>;
  /** Built-in checks that are switched on. */
  readonly required: readonly BuiltIn[];
  readonly wanted: readonly BuiltIn[];
}

/** What counts when pinectl.toml says nothing, or can't be read. */
export const standardHealth: HealthSettings = {
  timeout: 60,
  timeouts: {},
  required: [],
  wanted: [],
};

const timeoutRange = [1, 3600] as const;
const mostBuiltIn = 50;

/** Reads `[health]`. `remote` is what a name lookup asks for unless it is told otherwise. */
export function parseHealth(value: unknown, remote: string, where: string): HealthSettings {
  const health = tableIn(value ?? {}, ['timeout', 'timeouts', 'required', 'wanted'], {
    what: '[health]',
    where,
  });
  const builtIn = (name: 'required' | 'wanted') => {
    const list = health[name] ?? [];
    if (!Array.isArray(list) || list.length > mostBuiltIn) {
      throw invalidConfiguration(where, `health.${name} = ["default-route", …]`, String(list));
    }
    return list.map((entry) => parseBuiltIn(entry, remote, where));
  };
  return {
    timeout: numberIn(health.timeout, 60, timeoutRange, 'health.timeout', where),
    timeouts: parseTimeouts(health.timeouts, where),
    required: builtIn('required'),
    wanted: builtIn('wanted'),
  };
}

function parseTimeouts(value: unknown, where: string): Record<string, number> {
  const given: TomlTable = tableIn(value ?? {}, undefined, { what: '[health.timeouts]', where });
  return Object.fromEntries(
    Object.entries(given).map(([name, seconds]) => [
      name,
      numberIn(seconds, 60, timeoutRange, `health.timeouts.${name}`, where),
    ]),
  );
}
