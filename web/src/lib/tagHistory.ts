/** What happened to a tag, in words. */

import { formatCount, plural } from './format';

export interface TagChange {
  ts: number;
  creator: string;
  changes: Record<string, unknown>;
}

const OPERATIONS: Record<string, string> = {
  UNION: 'Union',
  INTERSECTION: 'Intersection',
  DIFFERENCE: 'Difference',
};

type Fields = Record<string, unknown>;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const count = (value: unknown): string => formatCount(typeof value === 'number' ? value : 0);

const SENTENCES: Record<string, (change: Fields) => string> = {
  initial: () => 'Made over all samples',
  rename: ({ from, to }) => `Renamed from “${text(from)}” to “${text(to)}”`,
  upsize: ({ from, to }) =>
    `Follows the dataset from ${count(from)} to ${plural(Number(to), 'sample')}`,
  arithmetics: ({ operation, tag1, tag2 }) =>
    `${OPERATIONS[text(operation)] ?? 'Combination'} of “${text(tag1)}” and “${text(tag2)}”`,
  samples: ({ added, removed, count: total }) =>
    `${count(added)} added, ${count(removed)} taken away: ${plural(Number(total ?? 0), 'sample')}`,
  metadata: (change) => describeCounts('Filtered by metadata', change),
  scatterplot: (change) => describeCounts('Chosen on the map', change),
  sampler: ({ method }) =>
    ['', 'SELECTION'].includes(text(method))
      ? 'Selection'
      : `Selection: ${text(method).toLowerCase()}`,
};

function describeCounts(what: string, change: Fields): string {
  return typeof change.count === 'number' ? `${what}: ${plural(change.count, 'sample')}` : what;
}

/** One sentence per thing that happened, those that nobody knows by their name. */
export function describeChange(change: TagChange): string[] {
  return Object.entries(change.changes)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([kind, value]) => {
      const fields = typeof value === 'object' ? (value as Fields) : {};
      return Object.hasOwn(SENTENCES, kind) ? SENTENCES[kind](fields) : kind;
    });
}

/** Tags with the newest first, in groups of a day each. */
export function groupByDay<Tag extends { createdAt: number }>(
  tags: readonly Tag[],
  nameDay: (timeMs: number) => string,
): { day: string; tags: Tag[] }[] {
  const groups: { day: string; tags: Tag[] }[] = [];
  for (const tag of [...tags].sort((a, b) => b.createdAt - a.createdAt)) {
    const day = nameDay(tag.createdAt);
    if (groups.at(-1)?.day !== day) groups.push({ day, tags: [] });
    groups.at(-1)!.tags.push(tag);
  }
  return groups;
}
