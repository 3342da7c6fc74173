import { findPatch, PatchMemory, type WholeFile } from '../../../src/delta/encode/patch.ts';

/** The patch that makes a file in memory of another one. */
export function patchOf(old: Uint8Array, bytes: Uint8Array): ReturnType<typeof findPatch> {
  return findPatch({ old: inMemory(old), bytes: inMemory(bytes) }, new PatchMemory());
}

function inMemory(file: Uint8Array): WholeFile {
  return { size: file.length, readInto: async (memory) => memory.set(file) };
}
