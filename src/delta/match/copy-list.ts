/** A piece of a new file that an old one has, exactly or nearly, `length` bytes long. */
export interface Copy {
  readonly newStart: number;
  readonly oldStart: number;
  readonly length: number;
}

/**
 * What a new file takes from an old one, in the order of the new file, without overlaps there.
 * Twelve bytes of memory for each copy; positions are below 2 GiB.
 */
export class CopyList {
  readonly count: number;
  readonly newStart: Int32Array;
  readonly oldStart: Int32Array;
  readonly length: Int32Array;

  constructor(count: number, numbers = new Int32Array(3 * count)) {
    this.count = count;
    this.newStart = numbers.subarray(0, count);
    this.oldStart = numbers.subarray(count, 2 * count);
    this.length = numbers.subarray(2 * count, 3 * count);
  }

  static from(copies: readonly Copy[]): CopyList {
    const list = new CopyList(copies.length);
    copies.forEach((copy, index) => {
      list.set(index, copy);
    });
    return list;
  }

  set(index: number, { newStart, oldStart, length }: Copy): void {
    this.newStart[index] = newStart;
    this.oldStart[index] = oldStart;
    this.length[index] = length;
  }

  at(index: number): Copy {
    return {
      newStart: this.newStart[index] ?? 0,
      oldStart: this.oldStart[index] ?? 0,
      length: this.length[index] ?? 0,
    };
  }
}
