/** One bit per sample: bit k is sample k, counted from the lowest bit of the first byte. */

const COUNTS = new Uint8Array(256);
for (let value = 1; value < 256; value++) COUNTS[value] = COUNTS[value >> 1] + (value & 1);

export class Bitset {
  readonly size: number;
  readonly bytes: Uint8Array;

  /** Bytes that are missing count as zeros; bits beyond `size` are cleared. */
  constructor(size: number, bytes?: Uint8Array) {
    this.size = size;
    this.bytes = new Uint8Array((size + 7) >> 3);
    if (bytes) this.bytes.set(bytes.subarray(0, this.bytes.length));
    this.clearTail();
  }

  static full(size: number): Bitset {
    const set = new Bitset(size);
    set.bytes.fill(255);
    set.clearTail();
    return set;
  }

  static of(size: number, indices: Iterable<number>): Bitset {
    const set = new Bitset(size);
    for (const index of indices) set.add(index);
    return set;
  }

  has(index: number): boolean {
    return (this.bytes[index >> 3] & (1 << (index & 7))) !== 0;
  }

  add(index: number): void {
    if (index >= 0 && index < this.size) this.bytes[index >> 3] |= 1 << (index & 7);
  }

  delete(index: number): void {
    this.bytes[index >> 3] &= ~(1 << (index & 7));
  }

  count(): number {
    let total = 0;
    for (const byte of this.bytes) total += COUNTS[byte];
    return total;
  }

  isEmpty(): boolean {
    return this.bytes.every((byte) => byte === 0);
  }

  equals(other: Bitset): boolean {
    return (
      this.size === other.size && this.bytes.every((byte, place) => byte === other.bytes[place])
    );
  }

  clone(): Bitset {
    return new Bitset(this.size, this.bytes);
  }

  and(other: Bitset): Bitset {
    return this.combine(other, (a, b) => a & b);
  }

  or(other: Bitset): Bitset {
    return this.combine(other, (a, b) => a | b);
  }

  andNot(other: Bitset): Bitset {
    return this.combine(other, (a, b) => a & ~b);
  }

  xor(other: Bitset): Bitset {
    return this.combine(other, (a, b) => a ^ b);
  }

  not(): Bitset {
    const result = new Bitset(this.size);
    for (let place = 0; place < result.bytes.length; place++) {
      result.bytes[place] = ~this.bytes[place];
    }
    result.clearTail();
    return result;
  }

  isSubsetOf(other: Bitset): boolean {
    return this.bytes.every((byte, place) => (byte & ~(other.bytes[place] ?? 0)) === 0);
  }

  /** The indices of all samples that are in, growing. */
  toIndices(): Uint32Array<ArrayBuffer> {
    const indices = new Uint32Array(this.count());
    let next = 0;
    for (let place = 0; place < this.bytes.length; place++) {
      const byte = this.bytes[place];
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) indices[next++] = place * 8 + bit;
    }
    return indices;
  }

  /** As the API has bit masks: a hexadecimal number whose lowest bit is sample 0. */
  toHex(): string {
    let end = this.bytes.length;
    while (end > 0 && this.bytes[end - 1] === 0) end--;
    if (end === 0) return '0x0';
    const parts = [this.bytes[end - 1].toString(16)];
    for (let place = end - 2; place >= 0; place--) parts.push(HEX[this.bytes[place]]);
    return `0x${parts.join('')}`;
  }

  private combine(other: Bitset, join: (a: number, b: number) => number): Bitset {
    const result = new Bitset(Math.max(this.size, other.size));
    for (let place = 0; place < result.bytes.length; place++) {
      result.bytes[place] = join(this.bytes[place] ?? 0, other.bytes[place] ?? 0);
    }
    result.clearTail();
    return result;
  }

  private clearTail(): void {
    const rest = this.size & 7;
    if (rest) this.bytes[this.bytes.length - 1] &= (1 << rest) - 1;
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
