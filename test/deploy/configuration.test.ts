import { describe, expect, it } from 'vitest';
import { parseAutomatic } from '../../src/deploy/automatic/automatic-settings.ts';
import { parseConfiguration } from '../../src/deploy/configuration.ts';
import { standardHealth } from '../../src/deploy/health/health-settings.ts';
import { argumentsForTrial } from '../../src/deploy/upgrade/kernel-arguments.ts';
import { codeOfAsync } from '../support/code-of.ts';

const least = 'remote = "https://example.org/repo"\nref = "alpine/x86_64/web"\n';

describe('pinectl.toml', () => {
  it('needs a remote and a ref, and has standard values for the rest', async () => {
    expect(await parseConfiguration(least, 'x')).toEqual({
      remote: 'https://example.org/repo',
      ref: 'alpine/x86_64/web',
      trial: { tries: 2, deadline: 300 },
      health: standardHealth,
      hooks: { timeout: 300 },
      automatic: parseAutomatic(undefined, 'x'),
      etc: { keep: 100 },
    });
    const text = `${least}[trial]\ntries = 9\ndeadline = 45\n[health]\ntimeout = 1\n`;
    expect(await parseConfiguration(text, 'x')).toMatchObject({
      trial: { tries: 9, deadline: 45 },
      health: { timeout: 1 },
    });
  });

  it.each([
    ['', 'no remote'],
    ['remote = ""\nref = "a"', 'an empty remote'],
    ['remote = "x"\nref = "../a"', 'a ref that is a path'],
    ['remote = 3\nref = "a"', 'a number'],
    [`${least}rem0te = "x"`, 'a typo'],
    [`${least}[trial]\ntries = 0`, 'no tries'],
    [`${least}[trial]\ntries = 2.5`, 'half a try'],
    [`${least}[etc]\nkeep = 1`, 'a history without a past'],
    [`${least}[trial]\ndeadline = 1`, 'a deadline that nothing could meet'],
    [`${least}trial = 1`, 'a value in place of a table'],
    ['remote = ', 'no TOML'],
  ])('refuses %j: %s', async (text) => {
    await codeOfAsync(() => parseConfiguration(text, 'x'), 'INPUT_CONFIGURATION');
  });
});

describe('kernel arguments of a trial', () => {
  it('are those of the running deployment, with the deadline of the configuration', () => {
    expect(argumentsForTrial('console=ttyS0 quiet', 300)).toBe('console=ttyS0 quiet');
    expect(argumentsForTrial('console=ttyS0 quiet', 45)).toBe(
      'console=ttyS0 quiet pine.deadline=45',
    );
    expect(argumentsForTrial('pine.deadline=45 quiet', 60)).toBe('quiet pine.deadline=60');
    expect(argumentsForTrial('pine.deadline=45', 300)).toBe('');
    expect(argumentsForTrial('', 300)).toBe('');
  });
});
