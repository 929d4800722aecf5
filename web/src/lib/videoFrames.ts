/** Steps from frame to frame of a video, which browsers only know by time. */

const DEFAULT_RATE = 25;
const RATES = [10, 12, 12.5, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 120];
/** Of measured rates, so many are one of the usual. */
const TOLERANCE = 0.004;

/** Frames per second, from the number and the time of one frame; null where they do not tell. */
export function estimateRate(index?: number, timestampS?: number): number | null {
  if (!index || !timestampS || index <= 0 || timestampS <= 0) return null;
  return snapRate(index / timestampS);
}

/** The usual rate that a measured one stands for. */
export function snapRate(measured: number): number {
  const near = RATES.find((rate) => Math.abs(measured / rate - 1) < TOLERANCE);
  return near ?? measured;
}

export function rateOr(rate: number | null): number {
  return rate ?? DEFAULT_RATE;
}

/** Which frame is shown at a time. */
export function frameAt(timeS: number, rate: number): number {
  return Math.max(0, Math.floor(timeS * rate + 0.02));
}

/** The middle of a frame: no rounding of the browser leads to another one. */
export function timeOf(frame: number, rate: number, durationS: number): number {
  return Math.min(Math.max(0, durationS - 0.5 / rate), Math.max(0, (frame + 0.5) / rate));
}
