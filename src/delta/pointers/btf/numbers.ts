import { byteOf, int32 } from '../little-endian.ts';
import { pointerClass } from '../pointer-class.ts';
import type { CopyMap } from '../predict/copy-map.ts';
import type { BtfLayout } from './layout.ts';
import type { LearnedNumbers } from './learned-numbers.ts';
import type { BtfMemory } from './memory.ts';

/** Predicts what becomes of the numbers in one file's BTF. Each that comes out tells of those behind it. */
export class BtfNumbers {
  readonly #memory: BtfMemory;
  readonly #names: BtfLayout['names'];
  readonly #map: CopyMap;
  /** How far the place of a name goes up whose bytes stay where they are in the file. */
  readonly #still: number;

  /** Of an old file whose names are told, which is made a new one by the copies of `map`; those of `memory.bases`. */
  constructor(memory: BtfMemory, names: BtfLayout['names'], map: CopyMap) {
    this.#memory = memory;
    this.#names = names;
    this.#map = map;
    const { old, new: bytes, namesMoved } = memory.bases;
    memory.ownTypes.clear(bytes.types - old.types);
    memory.ownNames.clear(bytes.names - old.names);
    this.#still = bytes.names - old.names - namesMoved;
  }

  /** What is predicted for a number that becomes `value`, modulo 2^32; it is learned what it became. */
  predict(kind: number, old: number, value: number): number {
    const predicted = this.#predict(kind, old);
    this.#learn(kind, old, value);
    return predicted;
  }

  /**
   * The same for a number at `at` of bytes in which the differences were added to the old one: they are what it becomes when
   * they are added to the predicted one.
   */
  predictIn(bytes: Uint8Array, at: number, kind: number, old: number): void {
    const predicted = this.#predict(kind, old);
    for (let byte = 0; byte < 4; byte++) {
      const difference = (bytes[at + byte] ?? 0) - byteOf(old, byte);
      bytes[at + byte] = byteOf(predicted, byte) + difference;
    }
    this.#learn(kind, old, int32(bytes, at));
  }

  #predict(kind: number, old: number): number {
    const isName = kind === pointerClass.btfName;
    const shift = isName ? this.#shiftOfName(old) : undefined;
    return old + (shift ?? this.#tableOf(isName, old).shiftOf(old));
  }

  #learn(kind: number, old: number, value: number): void {
    this.#tableOf(kind === pointerClass.btfName, old).learn(old, value - old);
  }

  /** Of a name that a copy has. */
  #shiftOfName(old: number): number | undefined {
    const inside = old - this.#memory.bases.old.names;
    if (inside < 0 || inside >= this.#names.size) return undefined;
    const offset = this.#names.offset + inside;
    const copy = this.#map.best(offset);
    return this.#map.has(copy, offset) ? this.#map.shift(copy) + this.#still : undefined;
  }

  #tableOf(isName: boolean, old: number): LearnedNumbers {
    const { ownNames, ownTypes, kernelNames, kernelTypes, bases } = this.#memory;
    const { names, types } = bases.old;
    if (isName) return names > 0 && old >= names ? ownNames : kernelNames;
    return types > 0 && old > types ? ownTypes : kernelTypes;
  }
}
