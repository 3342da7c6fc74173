import { PineError } from '../../src/error.ts';
import { mutate, randomSource } from './mutate.ts';

/** Milliseconds that one may take on a machine that does much else: it shows what hangs. */
const longest = 10_000;

/** What is mutated, how often, and what reads it. */
export interface Fuzzing {
  readonly name: string;
  readonly seed: number;
  readonly rounds: number;
  readonly samples: readonly Buffer[];
  readonly decode: (bytes: Buffer) => unknown;
}

/** Gives a decoder mutated samples: each must end in a value or an error with a code. Says how many were refused. */
export async function fuzzDecoder({
  name,
  seed,
  rounds,
  samples,
  decode,
}: Fuzzing): Promise<number> {
  for (const sample of samples) await decode(sample);
  const random = randomSource(seed);
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    const bytes = mutate(samples, random);
    const started = performance.now();
    try {
      await decode(bytes);
    } catch (error) {
      refused += 1;
      if (!(error instanceof PineError)) {
        const hex = bytes.subarray(0, 4000).toString('hex');
        throw new Error(`seed ${seed}, ${name}, round ${round}: ${hex}`, { cause: error });
      }
    }
    const took = performance.now() - started;
    if (took > longest) throw new Error(`seed ${seed}, ${name}, round ${round}: ${took} ms`);
  }
  return refused;
}
