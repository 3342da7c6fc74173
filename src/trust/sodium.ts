/**
 * libsodium, loaded when it is first needed: it costs about 18 MB of memory and 40 ms, which a
 * command that neither signs nor verifies does not pay.
 */
export async function loadSodium() {
  const { default: sodium } = await import('libsodium-wrappers');
  await sodium.ready;
  return sodium;
}
