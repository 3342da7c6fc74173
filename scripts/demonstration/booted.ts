import { Machine } from '../../test/e2e/harness/machine.ts';
import { serveFolder } from '../../test/e2e/harness/web-server.ts';
import { watchConsole } from './console-view.ts';
import type { Narrator } from './narrator.ts';
import { type Release, ref } from './release.ts';

/** Starts the machine in QEMU and lets it upgrade itself, once to a good system and once to a bad one. */
export async function runBooted(release: Release, narrator: Narrator): Promise<void> {
  const web = await serveFolder(release.repo);
  const stop = watchConsole(`${release.disk}.console`, narrator);
  await using machine = await Machine.start({ disk: release.disk, memory: 192 });
  try {
    const told = async (command: string) => {
      narrator.quote(`machine# ${command}`);
      narrator.quote(await machine.check(command));
    };
    await narrator.step('switch the machine on: QEMU, BIOS, 192 MB', () => machine.waitForBoot());
    await machine.check(
      `printf '%s\\n' 'remote = "http://10.0.2.2:${web.port}"' 'ref = "${ref}"' >/etc/pine/pinectl.toml`,
    );
    await told('pinectl status');

    await release.commit(release.v2, 'v2');
    await narrator.step('the machine upgrades itself to v2: pinectl upgrade', async () => {
      await told('pinectl upgrade --plan');
      machine.send('pinectl upgrade');
      await machine.waitForBoot({ seconds: 900 });
    });
    await told('pinectl status');

    await release.commit(release.v3, 'v3');
    await narrator.step(
      'the machine tries v3, whose init is broken, and falls back by itself: pinectl upgrade',
      async () => {
        machine.send('pinectl upgrade');
        await machine.waitForBoot({ seconds: 900 });
      },
    );
    await told('pinectl status');
    narrator.quote('machine# pinectl upgrade');
    narrator.quote((await machine.run('pinectl upgrade')).output);
  } finally {
    stop();
    await web.close();
  }
}
