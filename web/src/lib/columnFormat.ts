/** Columns as the server sends them; see `openapi/ext-v1.json`. */

const MAGIC = 0x3143504c; // "LPC1"
const VERSION = 1;
const HEADER_BYTES = 32;

export type ColumnValues = Float32Array | Uint16Array | Uint8Array | Uint32Array;

export interface Column<Tail> {
  readonly kind: 'f32' | 'u16' | 'u8' | 'bits' | 'u32';
  readonly width: number;
  readonly count: number;
  readonly values: ColumnValues;
  readonly tail: Tail;
}

const KINDS = [, 'f32', 'u16', 'u8', 'bits', 'u32'] as const;

/** Returns the values without copying them. Throws when the bytes are no column. */
export function readColumn<Tail>(buffer: ArrayBuffer): Column<Tail> {
  if (buffer.byteLength < HEADER_BYTES) throw new Error('The column is cut off.');
  const header = new DataView(buffer);
  if (header.getUint32(0, true) !== MAGIC) throw new Error('These bytes are no column.');
  const version = header.getUint16(4, true);
  if (version !== VERSION) throw new Error(`The column has version ${version}. Reload the page.`);
  const kind = KINDS[header.getUint8(6)];
  if (!kind) throw new Error('The column has an unknown type.');
  const width = header.getUint8(7);
  const count = Number(header.getBigUint64(8, true));
  const tailBytes = header.getUint32(16, true);
  const values = readValues(buffer, kind, width * count);
  const tailStart = HEADER_BYTES + values.byteLength;
  if (buffer.byteLength !== tailStart + tailBytes) throw new Error('The column is cut off.');
  const text = new TextDecoder().decode(new Uint8Array(buffer, tailStart, tailBytes));
  return { kind, width, count, values, tail: JSON.parse(text) as Tail };
}

function readValues(
  buffer: ArrayBuffer,
  kind: NonNullable<(typeof KINDS)[number]>,
  length: number,
): ColumnValues {
  const size = {
    f32: 4 * length,
    u32: 4 * length,
    u16: 2 * length,
    u8: length,
    bits: (length + 7) >> 3,
  }[kind];
  if (buffer.byteLength < HEADER_BYTES + size) throw new Error('The column is cut off.');
  switch (kind) {
    case 'f32':
      return new Float32Array(buffer, HEADER_BYTES, length);
    case 'u32':
      return new Uint32Array(buffer, HEADER_BYTES, length);
    case 'u16':
      return new Uint16Array(buffer, HEADER_BYTES, length);
    case 'u8':
      return new Uint8Array(buffer, HEADER_BYTES, length);
    case 'bits':
      return new Uint8Array(buffer, HEADER_BYTES, size);
  }
}
