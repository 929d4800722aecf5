const WHOLE = new Intl.NumberFormat();
const SHORT = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

export const formatCount = (value: number): string => WHOLE.format(value);
export const formatNumber = (value: number): string =>
  Number.isInteger(value) ? WHOLE.format(value) : SHORT.format(value);
export const formatDay = (timeMs: number): string => DAY.format(timeMs);
export const formatMoment = (timeMs: number): string => MOMENT.format(timeMs);

/** A share in whole percents. */
export const formatPercent = (share: number): string =>
  `${WHOLE.format(Math.round(share * 100))} %`;

export function formatAgo(timeMs: number, nowMs = Date.now()): string {
  const seconds = (timeMs - nowMs) / 1000;
  for (const [unit, length] of [
    ['year', 31_557_600],
    ['month', 2_629_800],
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const) {
    if (Math.abs(seconds) >= length) return RELATIVE.format(Math.round(seconds / length), unit);
  }
  return 'just now';
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** "1 sample", "2 samples". */
export function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 's'}`;
}

export { nameColumn } from './columnNames';
