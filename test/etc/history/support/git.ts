import { execFileSync } from 'node:child_process';

/** What the real git says about a repository. Throws with what it prints when it fails. */
export function git(repository: string, ...args: string[]): string {
  return execFileSync('git', ['--git-dir', repository, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  });
}
