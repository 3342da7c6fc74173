import type { Durability } from '../../../src/repo/repository.ts';

/** Makes nothing durable: for tests that are about something else, on a busy disk. */
export const quick: Durability = { sync: async () => {}, syncAll: async () => {} };
