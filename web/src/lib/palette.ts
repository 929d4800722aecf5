/** Colours of plots; distinct for colour-blind eyes as far as twenty colours can be. */

export type Rgb = readonly [number, number, number];

const HEX = [
  '#4f6df5', '#f08a24', '#12a594', '#e5484d', '#a855c7', '#8bb815', '#e03e96', '#0ea5d7', '#b47b4e',
  '#5b5bd6', '#d6a100', '#30a46c', '#ff7d7d', '#7c66dc', '#4b8f29', '#c2298a', '#00749e', '#8a5a3c',
  '#8899ff', '#a68b00',
]; // prettier-ignore

/** Codes of categories beyond this share one colour. */
export const MAX_CLASSES = HEX.length;
export const CATEGORY_COLORS: readonly string[] = HEX;
export const OTHER_COLOR = '#8a94a3';

const STOPS: Rgb[] = [
  [68, 1, 84],
  [70, 50, 126],
  [54, 92, 141],
  [39, 127, 142],
  [31, 161, 135],
  [74, 193, 109],
  [160, 218, 57],
  [253, 231, 37],
];

export function parseHex(hex: string): Rgb {
  // Builds shorten `#ffffff` to `#fff`.
  const digits = hex.length === 4 ? hex.replace(/[^#]/g, '$&$&') : hex;
  const value = Number.parseInt(digits.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** A colour between dark and bright for a number between 0 and 1. */
export function scaleColor(share: number): Rgb {
  const place = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  const rest = place - low;
  const [a, b] = [STOPS[low], STOPS[low + 1]];
  return [0, 1, 2].map((part) =>
    Math.round(a[part] + (b[part] - a[part]) * rest),
  ) as unknown as Rgb;
}

/** 256 colours in RGBA, one for each code of a plot; the last one stands for no value. */
export function makePalette(
  kind: 'plain' | 'category' | 'number',
  plain: Rgb,
  missing: Rgb,
): Uint8Array {
  const palette = new Uint8Array(256 * 4);
  const other = parseHex(OTHER_COLOR);
  for (let code = 0; code < 256; code++) {
    let color: Rgb = plain;
    if (kind === 'category') color = code < MAX_CLASSES ? parseHex(HEX[code]) : other;
    if (kind === 'number') color = scaleColor(code / 253);
    if (code === 255) color = missing;
    palette.set([...color, 255], code * 4);
  }
  return palette;
}
