import { describe, expect, it } from 'vitest';
import { Bitset } from './bitset';
import { decodeRuns, encodeRuns, MAX_CODE_CHARACTERS } from './selectionCode';

describe('a selection in the address', () => {
  it.each([
    [[], ''],
    [[0], '0'],
    [[3, 4, 5, 6], '3.4'],
    [[3, 4, 8, 63], '3.2_3_1i'],
  ])('of %j is %s', (indices, code) => {
    expect(encodeRuns(Bitset.of(64, indices))).toBe(code);
  });

  it('comes back whatever it is', () => {
    for (let seed = 1; seed < 40; seed++) {
      const size = seed * 37;
      const set = Bitset.of(
        size,
        Array.from({ length: size }, (_, index) => index).filter(
          (index) => ((index * seed * 2654435761) >>> 7) % 5 < seed % 6,
        ),
      );
      const code = encodeRuns(set)!;

      expect(decodeRuns(code, size).equals(set)).toBe(true);
    }
  });

  it('is short for all of a million', () => {
    expect(encodeRuns(Bitset.full(1_000_000))).toBe('0.lfls');
  });

  it('is given up when it would be too long', () => {
    const every = new Bitset(4 * MAX_CODE_CHARACTERS);
    for (let index = 0; index < every.size; index += 2) every.add(index);

    expect(encodeRuns(every)).toBe(null);
  });

  it.each(['x!', '-1', '0.0', '5.-3', '0.zzzzzz', '..', '_'])(
    'takes nothing from %s that it does not know',
    (code) => {
      const set = decodeRuns(code, 10);

      expect(set.size).toBe(10);
      expect([...set.toIndices()].every((index) => index < 10)).toBe(true);
    },
  );
});
