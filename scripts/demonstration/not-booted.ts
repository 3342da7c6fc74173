import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinectl } from '../../test/e2e/harness/pinectl.ts';
import { hasProgram, run } from '../root/programs.ts';
import type { Narrator } from './narrator.ts';
import { type Release, ref } from './release.ts';

/** The same on the disk image file: everything but the boots themselves. */
export async function runNotBooted(
  release: Release,
  folder: string,
  narrator: Narrator,
): Promise<void> {
  const [config, state] = [join(folder, 'etc-pine'), join(folder, 'state')];
  mkdirSync(join(config, 'keys'), { recursive: true });
  mkdirSync(state);
  await run('cp', [release.publicKey, join(config, 'keys')]);
  writeFileSync(join(config, 'pinectl.toml'), `remote = "${release.repo}"\nref = "${ref}"\n`);
  const on = ['--disk', release.disk, '--state', state, '--config', config];
  const told = async (...args: string[]) => {
    narrator.quote(`$ pinectl ${args.join(' ')}`);
    narrator.quote(await pinectl(...args, ...on));
  };

  await release.commit(release.v2, 'v2');
  await narrator.step('upgrade to v2 on the disk image: pinectl upgrade --disk', async () => {
    await told('upgrade', '--plan');
    await told('upgrade');
    await bootChoice(release.disk, narrator);
  });
  await narrator.step('v2 counts as booted and healthy: pinectl boot-complete', async () => {
    await told('boot-complete', '--running', '2');
    await bootChoice(release.disk, narrator);
  });
  await release.commit(release.v3, 'v3');
  await narrator.step('upgrade to v3, which would not come up', async () => {
    await told('upgrade', '--running', '2');
    await bootChoice(release.disk, narrator);
  });
  await narrator.step('v3 counts as tried in vain: v2 runs again', async () => {
    const trial = await trialBlock();
    await told('boot-complete', '--running', '2', '--skipped', `${trial}:tries`);
    await bootChoice(release.disk, narrator);
    await told('status');
  });

  async function trialBlock(): Promise<string> {
    const status = JSON.parse(await pinectl('status', '--json', '--running', '2', ...on));
    const trial = status.slots
      .flatMap((slot: { deployments: { state: string; block: number }[] }) => slot.deployments)
      .find((deployment: { state: string }) => deployment.state === 'trial');
    return String(trial.block);
  }
}

/** Shows what GRUB would choose by, read with GRUB's own file system drivers where they are there. */
async function bootChoice(disk: string, narrator: Narrator): Promise<void> {
  if (!hasProgram('grub-fstest')) {
    narrator.quote('grub-fstest is missing: the boot choice is not read with GRUB');
    return;
  }
  const text = await run('grub-fstest', [disk, 'cat', '(loop0,gpt3)/grub/grubenv']);
  narrator.quote('the boot choice, as GRUB reads it (grub-fstest):');
  narrator.quote(
    text
      .split('\n')
      .filter((line) => line.startsWith('pine_'))
      .join('\n'),
  );
}
