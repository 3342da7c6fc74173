import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { mergeLines } from '../../../src/etc/merge/lines.ts';

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');
const large = {
  'many short lines': lines(300_000, (index) => String(index % 7)),
  'many repeats': lines(9_900, (index) => `line ${index % 20}`),
  'nothing but empty lines': lines(900, () => ''),
  'many lines of their own': lines(9_900, (index) => `a line of some length ${index}`),
};

describe('texts that are merged line by line', () => {
  test('are not when that would take more memory than there is', async () => {
    for (const name of ['many short lines', 'many repeats', 'nothing but empty lines'] as const) {
      const base = large[name];
      const merged = await mergeLines(`a\n${base}y\n`, `b\n${base}z\n`, `a\nc\n${base}x\n`);
      expect(merged, name).toEqual({ kind: 'too-long' });
    }
  });

  test('are when no end is the same, in the heap that a small machine has', () => {
    const source = new URL('../../../src/etc/merge/lines.ts', import.meta.url).href;
    const script = `
      import { mergeLines } from '${source}';
      const base = ${JSON.stringify(large['many lines of their own'])};
      const { kind } = await mergeLines('a\\n' + base + 'y\\n', 'b\\n' + base + 'y\\n', 'a\\n' + base + 'x\\n');
      console.log(kind);`;
    const heap = ['--max-old-space-size=24', '--max-semi-space-size=1'];
    const said = execFileSync(process.execPath, [...heap, '--input-type=module'], {
      ...{ input: script, encoding: 'utf8' },
    });
    expect(said).toBe('merged\n');
  });
});
