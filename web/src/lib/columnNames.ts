/** What people call the columns of a dataset, and where they look for them. */

const MEASURED = 'lightly.';
export const COLUMN_GROUPS = ['Metadata', 'Predictions', 'Scores', 'Measured'] as const;
export type ColumnGroup = (typeof COLUMN_GROUPS)[number];

const KINDS: [prefix: string, group: ColumnGroup, name: (rest: string) => string][] = [
  ['lightly.prediction.', 'Predictions', (task) => `${task}: class`],
  ['lightly.confidence.', 'Predictions', (task) => `${task}: confidence`],
  ['lightly.objects.', 'Predictions', nameObjects],
  ['lightly.score.', 'Scores', nameScore],
  ['lightly.tagScore.', 'Scores', nameScore],
  ['lightly.outliers', 'Scores', () => 'outlier score'],
];

// Names of tasks have no dots, so the first one ends them.
function nameObjects(rest: string): string {
  const [task, ...kind] = rest.split('.');
  return kind.length ? `${task}: number of ${kind.join('.')}` : `${task}: number of all`;
}

function nameScore(rest: string): string {
  const dot = rest.lastIndexOf('.');
  return `${rest.slice(0, dot)}: ${rest.slice(dot + 1)}`;
}

export function nameColumn(key: string): string {
  for (const [prefix, , name] of KINDS) {
    if (key.startsWith(prefix)) return name(key.slice(prefix.length));
  }
  return key.startsWith(MEASURED) ? key.slice(MEASURED.length) : key;
}

export function groupOf(key: string): ColumnGroup {
  const kind = KINDS.find(([prefix]) => key.startsWith(prefix));
  return kind?.[1] ?? (key.startsWith(MEASURED) ? 'Measured' : 'Metadata');
}

/** Columns by group, in the order in which people look for them; groups without any are left out. */
export function groupColumns<Info extends { key: string }>(
  columns: readonly Info[],
): [ColumnGroup, Info[]][] {
  return COLUMN_GROUPS.map((group): [ColumnGroup, Info[]] => [
    group,
    columns.filter((one) => groupOf(one.key) === group),
  ]).filter(([, found]) => found.length > 0);
}
