import { expect, test } from 'vitest';
import { withoutCredentials } from '../../../src/build/recipe/remote-url.ts';

test.each([
  ['https://example.org/a/b.git', 'https://example.org/a/b.git'],
  ['https://token@example.org/a', 'https://example.org/a'],
  ['https://user:pass@word@example.org:8443/a', 'https://example.org:8443/a'],
  ['https://example.org/a?private_token=secret#secret', 'https://example.org/a'],
  ['HTTP://user:secret@example.org', 'HTTP://example.org'],
  ['ssh://git@example.org:2222/a', 'ssh://git@example.org:2222/a'],
  ['git+ssh://git:secret@example.org/a', 'git+ssh://git@example.org/a'],
  ['git@example.org:a/b.git', 'git@example.org:a/b.git'],
  ['helper::https://secret@example.org/a', 'helper::https://example.org/a'],
  ['file:///srv/git/a', 'file:///srv/git/a'],
  ['/srv/git/a', '/srv/git/a'],
])('%s becomes %s', (url, shown) => {
  expect(withoutCredentials(url)).toBe(shown);
});
