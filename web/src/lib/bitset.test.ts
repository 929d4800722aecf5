import { describe, expect, it } from 'vitest';
import { Bitset } from './bitset';

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

function randomSet(size: number, seed: number): [Bitset, Set<number>] {
  const next = random(seed);
  const members = new Set(Array.from({ length: size }, (_, k) => k).filter(() => next() < 0.4));
  return [Bitset.of(size, members), members];
}

const SIZES = [0, 1, 7, 8, 9, 63, 64, 65, 1000];

describe('bitset', () => {
  it.each(SIZES)('of %i samples agrees with a set of numbers', (size) => {
    const [a, x] = randomSet(size, 1);
    const [b, y] = randomSet(size, 2);
    const all = Array.from({ length: size }, (_, k) => k);
    const pick = (test: (k: number) => boolean) => all.filter(test);

    expect([...a.toIndices()]).toEqual([...x]);
    expect(a.count()).toBe(x.size);
    expect([...a.and(b).toIndices()]).toEqual(pick((k) => x.has(k) && y.has(k)));
    expect([...a.or(b).toIndices()]).toEqual(pick((k) => x.has(k) || y.has(k)));
    expect([...a.andNot(b).toIndices()]).toEqual(pick((k) => x.has(k) && !y.has(k)));
    expect([...a.xor(b).toIndices()]).toEqual(pick((k) => x.has(k) !== y.has(k)));
    expect([...a.not().toIndices()]).toEqual(pick((k) => !x.has(k)));
    expect(a.and(b).isSubsetOf(a)).toBe(true);
    expect(Bitset.full(size).count()).toBe(size);
  });

  it('writes hexadecimal numbers whose lowest bit is the first sample', () => {
    expect(new Bitset(8).toHex()).toBe('0x0');
    expect(Bitset.of(8, [0]).toHex()).toBe('0x1');
    expect(Bitset.of(8, [7]).toHex()).toBe('0x80');
    expect(Bitset.of(20, [0, 8, 19]).toHex()).toBe('0x80101');
    expect(Bitset.full(12).toHex()).toBe('0xfff');
  });

  it.each(SIZES)('of %i samples has the digits of a big number', (size) => {
    const [set, members] = randomSet(size, 3);
    let expected = 0n;
    for (const index of members) expected |= 1n << BigInt(index);

    expect(set.toHex()).toBe(`0x${expected.toString(16)}`);
  });

  it('ignores bits beyond its size and takes shorter bytes', () => {
    expect(new Bitset(4, new Uint8Array([255, 255])).count()).toBe(4);
    expect(new Bitset(20, new Uint8Array([255])).count()).toBe(8);
    const set = new Bitset(4);
    set.add(4);
    set.add(-1);
    expect(set.isEmpty()).toBe(true);
  });

  it('does not change with its copy', () => {
    const set = Bitset.of(10, [1]);
    const copy = set.clone();
    copy.add(2);
    copy.delete(1);

    expect([...set.toIndices()]).toEqual([1]);
    expect(set.equals(copy)).toBe(false);
    expect(set.equals(Bitset.of(10, [1]))).toBe(true);
  });
});
