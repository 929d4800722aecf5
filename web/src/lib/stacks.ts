/** Samples in stacks of near-duplicates. All of it is arrays of numbers: sets have millions. */

/** Stands for a sample that was not looked at: it is alone. */
export const NO_LEADER = 0xffffffff;

/** Samples of a grid, those of a group beside each other. */
export interface Groups {
  /** All shown samples, group after group, in the order in which groups begin. */
  readonly members: Uint32Array;
  /** Where each group begins among them, and the end of the last. */
  readonly starts: Uint32Array;
}

/** What the cells of a grid stand for. */
export interface StackedCells {
  /** The sample of each cell: the first of its stack, or each of an open one. */
  readonly shown: Uint32Array;
  /** The group of each cell. */
  readonly groups: Uint32Array;
}

/** The first sample of a group of the whole dataset; of those that are alone themselves. */
export function leaderOf(leaders: Uint32Array, index: number): number {
  // Samples may have been added since.
  return index < leaders.length && leaders[index] !== NO_LEADER ? leaders[index] : index;
}

/**
 * Brings near-duplicates together.
 *
 * `order` has the shown samples in the order of the grid, null for all `count` samples as they
 * are; `leaders` has of each sample the first of its group. A group is where its first shown
 * sample would be.
 */
export function groupSamples(
  order: Uint32Array | null,
  count: number,
  leaders: Uint32Array,
): Groups {
  const total = order ? order.length : count;
  const sizes = new Uint32Array(count);
  let groupCount = 0;
  for (let at = 0; at < total; at++) {
    if (sizes[leaderOf(leaders, order ? order[at] : at)]++ === 0) groupCount++;
  }
  const starts = new Uint32Array(groupCount + 1);
  const members = new Uint32Array(total);
  /** Of each leader one more than the place where its next member goes; 0 before the first. */
  const places = new Uint32Array(count);
  let group = 0;
  let next = 0;
  for (let at = 0; at < total; at++) {
    const index = order ? order[at] : at;
    const leader = leaderOf(leaders, index);
    if (places[leader] === 0) {
      starts[group++] = next;
      places[leader] = next + 1;
      next += sizes[leader];
    }
    members[places[leader]++ - 1] = index;
  }
  starts[group] = total;
  return { members, starts };
}

/** Makes a cell of each group; of those that are open, one of each member. */
export function layStacks(
  { members, starts }: Groups,
  leaders: Uint32Array,
  open: ReadonlySet<number>,
): StackedCells {
  const count = starts.length - 1;
  const isOpen = (group: number) =>
    open.size > 0 && open.has(leaderOf(leaders, members[starts[group]]));
  let cells = 0;
  for (let group = 0; group < count; group++) {
    cells += isOpen(group) ? starts[group + 1] - starts[group] : 1;
  }
  const shown = new Uint32Array(cells);
  const groups = new Uint32Array(cells);
  let cell = 0;
  for (let group = 0; group < count; group++) {
    const end = isOpen(group) ? starts[group + 1] : starts[group] + 1;
    for (let place = starts[group]; place < end; place++) {
      shown[cell] = members[place];
      groups[cell++] = group;
    }
  }
  return { shown, groups };
}

/** The cell that shows a sample, or the stack that it is in; -1 if it is not shown at all. */
export function findCell(
  { members, starts }: Groups,
  { shown, groups }: StackedCells,
  index: number,
): number {
  const own = shown.indexOf(index);
  if (own >= 0) return own;
  const place = members.indexOf(index);
  if (place < 0) return -1;
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= place) low = middle;
    else high = middle;
  }
  return groups.indexOf(low);
}
