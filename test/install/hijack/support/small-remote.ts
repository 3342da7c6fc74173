import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { OpenRemote, WantedCommit } from '../../../../src/install/hijack/wanted-commit.ts';
import { openSource } from '../../../../src/remote/open-source.ts';
import { RemoteRepository } from '../../../../src/remote/remote-repository.ts';
import { generateKeyPair } from '../../../../src/trust/generate.ts';
import type { PublicKey } from '../../../../src/trust/keys.ts';
import { smallRepository } from '../../../repo/support/small-commit.ts';

/** A repository with one signed commit that machines may take, and who has it open. */
export interface SmallRemote {
  readonly commit: WantedCommit;
  /** A key that the commit is not signed with. */
  readonly otherKey: PublicKey;
  readonly open: OpenRemote;
  /** How often it was opened, and how often of those it was closed. */
  readonly counts: { opened: number; closed: number };
}

/** Makes one for the tests of one file. */
export async function smallRemote(): Promise<SmallRemote> {
  const remote = mkdtempSync(join(tmpdir(), 'pine-remote-'));
  afterAll(() => rmSync(remote, { recursive: true }));
  const { publicKey, secretKey } = await generateKeyPair('release');
  await smallRepository(remote, {
    ...{ ref: 'test', signKeys: [secretKey] },
    metadata: [['pine.boot-compat', { type: 'u', value: 1 }]],
  });
  const counts = { opened: 0, closed: 0 };
  return {
    commit: { remote, ref: 'test', keys: [publicKey], keyTexts: ['key\n'] },
    otherKey: (await generateKeyPair('other')).publicKey,
    counts,
    async open(path) {
      counts.opened += 1;
      const source = await openSource(path);
      return new RemoteRepository({
        name: source.name,
        open: (...call) => source.open(...call),
        async close() {
          counts.closed += 1;
          await source.close();
        },
      });
    },
  };
}
