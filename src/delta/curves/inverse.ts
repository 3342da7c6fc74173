/** `value` modulo `modulus`, never below 0. */
export function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** What times `value` is 1 modulo `modulus` (above 1), by Euclid's algorithm; `undefined` where nothing is. */
export function inverseOf(value: bigint, modulus: bigint): bigint | undefined {
  let [high, low] = [modulus, modulo(value, modulus)];
  let [before, factor] = [0n, 1n];
  while (low > 0n) {
    const times = high / low;
    [high, low] = [low, high - times * low];
    [before, factor] = [factor, before - times * factor];
  }
  return high === 1n ? modulo(before, modulus) : undefined;
}
