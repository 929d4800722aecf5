import { describe, expect, it } from 'vitest';
import { readColumn } from './columnFormat';

function write(
  kind: number,
  count: number,
  content: Uint8Array,
  tail: object,
  width = 1,
): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(tail));
  const bytes = new Uint8Array(32 + content.length + text.length);
  const header = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('LPC1'));
  header.setUint16(4, 1, true);
  header.setUint8(6, kind);
  header.setUint8(7, width);
  header.setBigUint64(8, BigInt(count), true);
  header.setUint32(16, text.length, true);
  bytes.set(content, 32);
  bytes.set(text, 32 + content.length);
  return bytes.buffer;
}

const asBytes = (values: ArrayBufferView) => new Uint8Array(values.buffer);

describe('column', () => {
  it('has the values and what is said about them', () => {
    const column = readColumn(
      write(1, 3, asBytes(new Float32Array([1, NaN, -2.5])), { min: -2.5 }),
    );

    expect([...column.values]).toEqual([1, NaN, -2.5]);
    expect(column).toMatchObject({ kind: 'f32', count: 3, width: 1, tail: { min: -2.5 } });
  });

  it('may have several values per sample', () => {
    const column = readColumn(write(1, 2, asBytes(new Float32Array([1, 2, 3, 4])), {}, 2));

    expect([...column.values]).toEqual([1, 2, 3, 4]);
  });

  it('may be of codes, of bits or of indices', () => {
    expect([...readColumn(write(2, 2, asBytes(new Uint16Array([7, 65535])), {})).values]).toEqual([
      7, 65535,
    ]);
    expect([...readColumn(write(3, 2, new Uint8Array([7, 255]), {})).values]).toEqual([7, 255]);
    expect([...readColumn(write(4, 9, new Uint8Array([255, 1]), {})).values]).toEqual([255, 1]);
    expect([...readColumn(write(5, 1, asBytes(new Uint32Array([70_000])), {})).values]).toEqual([
      70_000,
    ]);
  });

  it.each([
    ['nothing', new ArrayBuffer(0)],
    ['another format', new ArrayBuffer(64)],
    ['a lost end', write(1, 3, asBytes(new Float32Array(3)), { a: 1 }).slice(0, -1)],
    ['fewer values than it says', write(1, 30, asBytes(new Float32Array(3)), {})],
    ['an unknown type', write(9, 1, new Uint8Array(4), {})],
  ])('of %s is refused', (_, buffer) => {
    expect(() => readColumn(buffer)).toThrow();
  });

  it('of a newer version is refused', () => {
    const buffer = write(3, 1, new Uint8Array(1), {});
    new DataView(buffer).setUint16(4, 2, true);

    expect(() => readColumn(buffer)).toThrow(/version 2/);
  });
});
