import { parseAutomatic } from '../../../src/deploy/automatic/automatic-settings.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import { standardHistory } from '../../../src/etc/history/history-settings.ts';
import { generateKeyPair } from '../../../src/trust/generate.ts';
import type { PublicKey, SecretKey } from '../../../src/trust/keys.ts';
import { makeRelease, type Release, ref } from './release.ts';
import { remoteOf } from './remote.ts';

/** Three releases that share most of their objects, and the key that signed them. */
export interface Releases {
  readonly keys: { readonly publicKey: PublicKey; readonly secretKey: SecretKey };
  readonly v0: Release;
  readonly v1: Release;
  readonly v2: Release;
}

const kilobyte = 1024;

export async function makeReleases(): Promise<Releases> {
  const keys = await generateKeyPair('release');
  const key = keys.secretKey;
  const shared = { kernel: 100 * kilobyte, libc: 300 * kilobyte };
  const make = (version: string, timestamp: number, objects: Record<string, number>) =>
    makeRelease({ version, timestamp, key, objects });
  return {
    keys,
    v0: await make('0', 100, { ...shared, zero: 5000 }),
    v1: await make('1', 200, { ...shared, one: 70_000 }),
    v2: await make('2', 300, { two: 90_000, ...shared, three: 800 * kilobyte }),
  };
}

/** What an upgrade to v2 is asked with. */
export function upgradeOptions({
  keys,
  v2,
}: Pick<Releases, 'v2'> & { readonly keys: Pick<Releases['keys'], 'publicKey'> }) {
  return {
    configuration: {
      remote: '/nowhere',
      ref,
      trial: { tries: 2, deadline: 300 },
      health: standardHealth,
      hooks: standardHooks,
      automatic: parseAutomatic(undefined, 'pinectl.toml'),
      etc: standardHistory,
    },
    keys: [keys.publicKey],
    remote: remoteOf(v2),
    retry: false,
    allowDowngrade: false,
    checkpointBytes: 1024 * kilobyte,
    reboot: true,
    note: (_text: string) => {},
  };
}
