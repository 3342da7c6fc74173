import type { Host } from '../host.ts';
import { countKeys } from '../login.ts';
import type { HostFacts } from '../survey.ts';
import type { OldSystem } from './carry-over.ts';

const largestKey = 64 * 1024;

/** Reads what of the old system is carried over. */
export async function readOldSystem(host: Host, facts: HostFacts): Promise<OldSystem> {
  const { login, network } = facts;
  const hostKeys = new Map<string, Buffer>();
  for (const path of login.hostKeys.flatMap((key) => [key, `${key}.pub`])) {
    const bytes = await host.readBytes(path, 0, largestKey).catch(() => undefined);
    if (bytes !== undefined) hostKeys.set(path, bytes);
  }
  const authorizedKeys = new Map<string, string>();
  for (const { name, keyFiles } of login.users) {
    const texts = await Promise.all(keyFiles.map(({ path }) => host.readText(path)));
    // A line that lets nobody in (a cloud image's for root) is left behind.
    const lines = texts.flatMap((text) => (text ?? '').split('\n'));
    const keys = lines.filter((line) => countKeys(line) > 0);
    if (keys.length > 0) authorizedKeys.set(name, `${keys.join('\n')}\n`);
  }
  const shadow = (await host.readText('/etc/shadow')) ?? '';
  const zone = await host.resolve('/etc/localtime');
  return {
    login,
    network: network.network,
    hashes: new Map(
      shadow.split('\n').map((line) => {
        const [name = '', hash = ''] = line.split(':');
        return [name, hash] as const;
      }),
    ),
    hostKeys,
    authorizedKeys,
    localTime: zone === undefined ? undefined : await host.readBytes(zone, 0, largestKey),
  };
}
