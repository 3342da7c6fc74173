import { PineError } from '../error.ts';

/** What is right about a bundle, what is not, and what that means. */
interface Damage {
  readonly expected: string;
  readonly found: string;
  readonly where: string;
  readonly summary?: string;
  readonly remedy?: string;
}

/** A bundle that is not what docs/bundles.md says. */
export function corruptBundle({
  summary = 'this is no bundle, or it is damaged',
  remedy = 'copy it again; make it with `pinectl bundle create`',
  ...details
}: Damage): PineError {
  return new PineError('CORRUPT_BUNDLE', summary, { ...details, remedy });
}

/** Lets `read` read a part of a bundle: an error of that part becomes one of the bundle. Throws CORRUPT_BUNDLE. */
export async function asPartOfBundle<T>(name: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PineError) || error.code === 'CORRUPT_BUNDLE') throw error;
    const { expected, found, where } = error.details;
    throw corruptBundle({
      expected,
      found,
      where: `${name}: ${error.message} (${where})`,
    });
  }
}
