import { type Copy, CopyList } from '../match/copy-list.ts';
import type { Elf } from '../pointers/elf/elf.ts';
import { offsetOf } from '../pointers/elf/segments.ts';

/** A copy that runs over an anchor by more bytes than this is not there by chance. */
const farthestByChance = 64;
/** Bytes of a copy that is there for the sake of an anchor. */
const anchorSize = 16;

/** A place that many values are relative to, in an old file and a new one. */
interface Anchor {
  readonly oldAt: number;
  readonly newAt: number;
}

/**
 * Sees to it that copies lead the places that values are relative to exactly where they are: one that went on by chance for a few
 * bytes makes all values wrong that are relative to what begins there.
 */
export function anchorCopies(copies: CopyList, old: Elf, updated: Elf): CopyList {
  const anchors = anchorsOf(old, updated);
  if (anchors.length === 0) return copies;
  let list = Array.from({ length: copies.count }, (_, index) => copies.at(index));
  for (const anchor of anchors) list = withAnchor(list, anchor);
  return CopyList.from(list);
}

function anchorsOf(old: Elf, updated: Elf): Anchor[] {
  const places = (elf: Elf): (number | undefined)[] => {
    const { go } = elf;
    const ranges = go && [
      go.text,
      go.names,
      go.units,
      go.files,
      go.values,
      go.functions,
      go.data,
      go.types,
    ];
    const addresses = [
      elf.frameIndex,
      elf.symbols,
      elf.names,
      ...(ranges ?? []).map(({ address }) => address),
    ];
    return addresses.map((address) =>
      address === undefined ? undefined : offsetOf(elf.segments, address),
    );
  };
  const [before, after] = [places(old), places(updated)];
  return before.flatMap((oldAt, index) => {
    const newAt = after[index];
    return oldAt === undefined || newAt === undefined ? [] : [{ oldAt, newAt }];
  });
}

function withAnchor(copies: readonly Copy[], { oldAt, newAt }: Anchor): Copy[] {
  const isRight = (copy: Copy): boolean => copy.newStart - copy.oldStart === newAt - oldAt;
  const made: Copy[] = [];
  let isThere = false;
  for (const copy of copies.flatMap((each) =>
    isRight(each) ? [each] : withoutChance(each, oldAt, newAt),
  )) {
    if (!isThere && copy.newStart + copy.length > newAt) {
      isThere = true;
      const room = copy.newStart - newAt;
      if (isRight(copy) && room <= farthestByChance) {
        made.push(
          room <= 0 ? copy : { newStart: newAt, oldStart: oldAt, length: copy.length + room },
        );
        continue;
      }
      made.push({
        newStart: newAt,
        oldStart: oldAt,
        length: Math.min(anchorSize, Math.max(1, room)),
      });
    }
    made.push(copy);
  }
  return made;
}

/** A copy on another diagonal, without what it has of the anchor. */
function withoutChance({ newStart, oldStart, length }: Copy, oldAt: number, newAt: number): Copy[] {
  const cut = [oldAt - oldStart, newAt - newStart].filter((at) => at >= 0 && at < length);
  let [from, to] = [0, length];
  for (const at of cut) {
    if (to - at <= farthestByChance) to = Math.min(to, at);
    else if (at - from < farthestByChance) from = Math.max(from, at + 1);
  }
  const part = (start: number, end: number): Copy => ({
    newStart: newStart + start,
    oldStart: oldStart + start,
    length: end - start,
  });
  const inNew = newAt - newStart;
  if (inNew < from || inNew >= to) return to > from ? [part(from, to)] : [];
  // It is long on both sides: it goes on behind the one byte.
  return [part(from, inNew), part(inNew + 1, to)].filter((each) => each.length > 0);
}
