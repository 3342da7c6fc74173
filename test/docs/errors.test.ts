import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const project = new URL('../..', import.meta.url).pathname;
const families = 'USAGE|INPUT|CORRUPT|TRUST|STATE|SPACE|REMOTE|NOT_FOUND|PROGRAM|IO';

test('docs/errors.md names every code of the source', () => {
  const documented = readFileSync(join(project, 'docs/errors.md'), 'utf8');
  const source = readdirSync(join(project, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(project, 'src', path), 'utf8'));
  const codes = new Set(
    source.flatMap(
      (text) => text.match(new RegExp(`(?<=')(${families})_[A-Z0-9_]+(?=')`, 'g')) ?? [],
    ),
  );
  expect(codes.size).toBeGreaterThan(100);
  const missing = [...codes].filter((code) => !documented.includes(`\`${code}\``));
  expect(missing).toEqual([]);
});
