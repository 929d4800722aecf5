import { Bitset } from './bitset';

/** Longer codes do not go into an address, not even into a saved one. */
export const MAX_CODE_CHARACTERS = 150_000;

/**
 * A set as text for an address: runs of neighbours as gap and length, in base 36.
 *
 * `3_0.4` is "leave out three, take one, leave out none, take four". Null when it gets too long.
 */
export function encodeRuns(set: Bitset): string | null {
  const parts: string[] = [];
  let length = 0;
  let next = 0;
  let index = findFrom(set, 0, true);
  while (index < set.size) {
    const end = findFrom(set, index, false);
    const gap = (index - next).toString(36);
    const part = end - index === 1 ? gap : `${gap}.${(end - index).toString(36)}`;
    length += part.length + 1;
    if (length > MAX_CODE_CHARACTERS) return null;
    parts.push(part);
    next = end;
    index = findFrom(set, end, true);
  }
  return parts.join('_');
}

/** The set of a code; what lies beyond `size`, or is no code, is left out. */
export function decodeRuns(code: string, size: number): Bitset {
  const set = new Bitset(size);
  let next = 0;
  for (const part of code ? code.split('_') : []) {
    const [gap, length] = part.split('.').map((text) => Number.parseInt(text, 36));
    if (!Number.isFinite(gap) || gap < 0 || (length !== undefined && !(length > 0))) break;
    const start = next + gap;
    const end = Math.min(size, start + (length ?? 1));
    for (let index = start; index < end; index++) set.add(index);
    next = end;
    if (next >= size) break;
  }
  return set;
}

/** The first index from `start` on whose bit is set, or is not; the size if there is none. */
function findFrom(set: Bitset, start: number, isSet: boolean): number {
  const skipped = isSet ? 0 : 255;
  let index = start;
  while (index < set.size) {
    if ((index & 7) === 0 && set.bytes[index >> 3] === skipped) index += 8;
    else if (set.has(index) === isSet) return index;
    else index++;
  }
  return set.size;
}
