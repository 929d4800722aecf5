/** Distributions of values: comparing them, and the relation of two of them. */

const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0);

/** Counts of other samples, scaled so that only their shape matters; none when there are none. */
export function scaleOutline(outline: readonly number[], counts: readonly number[]): number[] {
  const [theirs, ours] = [sum(outline), sum(counts)];
  return theirs > 0 && ours > 0 ? outline.map((count) => (count * ours) / theirs) : [];
}

/** How different two distributions are: 0 for the same shares, 1 for nothing in common. */
export function measureDifference(a: readonly number[], b: readonly number[]): number {
  const [totalA, totalB] = [sum(a), sum(b)];
  if (!totalA || !totalB) return totalA === totalB ? 0 : 1;
  let difference = 0;
  for (let place = 0; place < Math.max(a.length, b.length); place++)
    difference += Math.abs((a[place] ?? 0) / totalA - (b[place] ?? 0) / totalB);
  return difference / 2;
}

/** Counts in fewer bins: each is the sum of neighbours. */
export function joinBins(counts: readonly number[], wanted: number): number[] {
  const joined = Array.from({ length: Math.min(wanted, counts.length) }, () => 0);
  counts.forEach((count, place) => {
    joined[Math.floor((place * joined.length) / counts.length)] += count;
  });
  return joined;
}

export interface Relation {
  /** Samples that have both numbers. */
  count: number;
  /** Of a straight line through them, between -1 and 1; null where one of them never changes. */
  correlation: number | null;
}

/** Pearson's correlation of two columns, over the samples that have both numbers. */
export function relate(
  xs: Float32Array,
  ys: Float32Array,
  isIn: (index: number) => boolean,
): Relation {
  let [count, meanX, meanY, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  for (let index = 0; index < xs.length; index++) {
    const [x, y] = [xs[index], ys[index]];
    if (Number.isNaN(x) || Number.isNaN(y) || !isIn(index)) continue;
    // Means that move along keep the digits that a sum of squares would lose.
    count++;
    const [fromX, fromY] = [x - meanX, y - meanY];
    meanX += fromX / count;
    meanY += fromY / count;
    xx += fromX * (x - meanX);
    yy += fromY * (y - meanY);
    xy += fromX * (y - meanY);
  }
  const scale = Math.sqrt(xx) * Math.sqrt(yy);
  return { count, correlation: scale > 0 ? Math.max(-1, Math.min(1, xy / scale)) : null };
}

export interface Range {
  min: number;
  max: number;
}

/** Values moved into 0 to `length`, for plots whose axes have scales of their own. */
export function stretch(values: Float32Array, { min, max }: Range, length: number): Float32Array {
  const span = max - min;
  return values.map((value) =>
    span > 0 ? ((value - min) / span) * length : length / 2 + value * 0,
  );
}

/** Round numbers between two ends, about as many as wanted. */
export function makeTicks(min: number, max: number, wanted: number): number[] {
  const span = max - min;
  if (!(span > 0) || !Number.isFinite(span)) return Number.isFinite(min) ? [min] : [];
  const rough = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: last - first + 1 }, (_, place) =>
    Number(((first + place) * step).toFixed(Math.min(digits, 20))),
  );
}
