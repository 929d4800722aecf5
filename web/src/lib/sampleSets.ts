import type { Bitset } from './bitset';

/**
 * The indices of a set in an order; null for all samples as they are.
 *
 * `set` is null for all samples, `order` is null for growing indices. Samples that the order does
 * not name are left out.
 */
export function arrange(set: Bitset | null, order: Uint32Array | null): Uint32Array | null {
  if (!order) return set ? set.toIndices() : null;
  return set ? order.filter((index) => set.has(index)) : order;
}

/** Where an index is in a list, -1 if nowhere; growing lists are searched by halves. */
export function findPosition(list: Uint32Array, index: number, isGrowing: boolean): number {
  if (!isGrowing) return list.indexOf(index);
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < index) low = middle + 1;
    else high = middle;
  }
  return list[low] === index ? low : -1;
}
