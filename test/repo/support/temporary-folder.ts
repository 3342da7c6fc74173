import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder that is there for the tests of one file, and gone after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pine-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
