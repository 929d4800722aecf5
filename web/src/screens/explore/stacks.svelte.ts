/** Near-duplicates in stacks: which were found, which are shown, and looking for others. */

import { ext } from '../../api/client';
import { fetchNeighborhood } from '../../api/columns';
import type { components } from '../../api/extension';
import { awaitJob } from '../../api/jobs';
import type { ExploreView } from '../../lib/exploreUrl';
import { findCell, groupSamples, layStacks, leaderOf } from '../../lib/stacks';

export type Neighborhood = components['schemas']['Neighborhood'];
type Search = components['schemas']['NeighborhoodCreateRequest']['search'];

/** What stacks need of the page. */
interface StackedPage {
  view: () => ExploreView;
  /** The samples of the grid in its order; null for all as they are. */
  arranged: () => Uint32Array | null;
  count: () => number;
  /** Shows the groups of this id as stacks, or none. */
  choose: (id: string | null) => void;
}

export class Stacks {
  /** Groups of near-duplicates that were found, the newest first. */
  found = $state.raw<Neighborhood[]>([]);
  isListed = $state(false);
  /** Of each sample the first of its group; null while none are shown. */
  leaders = $state.raw<Uint32Array | null>(null);
  /** Open stacks, by the first sample of their group. */
  open = $state.raw<ReadonlySet<number>>(new Set());
  /** What is searched for just now. */
  searching = $state.raw<Search['type'] | null>(null);
  progress = $state.raw<{ done: number; total: number } | null>(null);
  error = $state.raw<Error | null>(null);
  /** Whether the bar is open although nothing is stacked. */
  isAsking = $state(false);

  current: Neighborhood | null = $derived.by(() => {
    const { stack } = this.page.view();
    return this.found.find((one) => one.id === stack) ?? null;
  });
  private groups = $derived.by(() => {
    const { leaders, page } = this;
    return leaders ? groupSamples(page.arranged(), page.count(), leaders) : null;
  });
  /** What the cells of the grid stand for; null while nothing is stacked. */
  cells = $derived.by(() => {
    const { groups, leaders, open } = this;
    return groups && leaders ? layStacks(groups, leaders, open) : null;
  });
  private reading: AbortController | null = null;
  private readId: string | null = null;

  constructor(
    private readonly datasetId: string,
    private readonly page: StackedPage,
    private readonly leaving: AbortSignal,
  ) {
    leaving.addEventListener('abort', () => this.reading?.abort());
  }

  private get params() {
    return { params: { path: { datasetId: this.datasetId } }, signal: this.leaving };
  }

  async list(): Promise<void> {
    const { data } = await ext.GET('/ext/v1/datasets/{datasetId}/neighborhoods', this.params);
    this.found = (data ?? []).filter((one) => one.type === 'NEAR_DUPLICATES');
    this.isListed = true;
  }

  /** Reads the groups that the address names. */
  async load(): Promise<void> {
    const { stack } = this.page.view();
    if (stack === this.readId && !this.error) return;
    this.reading?.abort();
    this.readId = stack;
    this.error = null;
    this.open = new Set();
    if (!stack) {
      this.leaders = null;
      return;
    }
    const { signal } = (this.reading = new AbortController());
    try {
      if (!this.isListed) await this.list();
      const column = await fetchNeighborhood(this.datasetId, stack, signal);
      this.leaders = column.values as Uint32Array;
    } catch (error) {
      if (signal.aborted) return;
      this.leaders = null;
      // Of an earlier version of the embedding: the bar offers to search again.
      if ((error as { status?: number }).status !== 404) this.error = error as Error;
    }
  }

  /** Reads again what may have come or gone. */
  async reload(): Promise<void> {
    this.isListed = false;
    const before = this.open;
    this.readId = null;
    if (this.page.view().stack) await this.load();
    this.open = before;
  }

  /** The samples that a cell stands for; of open stacks that is one. */
  membersAt(position: number): Uint32Array {
    const { groups, cells } = this;
    if (!groups || !cells) return new Uint32Array(0);
    if (this.isOpenAt(position)) return cells.shown.subarray(position, position + 1);
    const group = cells.groups[position];
    return groups.members.subarray(groups.starts[group], groups.starts[group + 1]);
  }

  /** How many shown samples the group of a cell has. */
  sizeAt(position: number): number {
    const { groups, cells } = this;
    if (!groups || !cells) return 1;
    const group = cells.groups[position];
    return groups.starts[group + 1] - groups.starts[group];
  }

  isOpenAt(position: number): boolean {
    const { cells, leaders, open } = this;
    return cells !== null && open.has(leaderOf(leaders!, cells.shown[position]));
  }

  /** The cell of a sample, or of its stack; -1 if it is not shown. */
  positionOf(index: number): number {
    const { groups, cells } = this;
    return groups && cells ? findCell(groups, cells, index) : -1;
  }

  /** Opens or closes the stack of a cell; returns where its first cell is. */
  toggleAt(position: number): number {
    if (!this.cells || this.sizeAt(position) < 2) return position;
    const first = this.cells.groups.indexOf(this.cells.groups[position]);
    const leader = leaderOf(this.leaders!, this.cells.shown[position]);
    const open = new Set(this.open);
    if (!open.delete(leader)) open.add(leader);
    this.open = open;
    return first;
  }

  /** Shows stacks or not; where nothing was found yet, the bar asks for a search. */
  async toggle(): Promise<void> {
    if (this.page.view().stack || this.isAsking) {
      this.isAsking = false;
      if (this.page.view().stack) this.page.choose(null);
      return;
    }
    this.isAsking = true;
    try {
      await this.list();
      if (this.isAsking && this.found.length) this.choose(this.found[0].id);
    } catch (error) {
      if (!this.leaving.aborted) this.error = error as Error;
    }
  }

  choose(id: string): void {
    this.isAsking = false;
    this.page.choose(id);
  }

  /** Lets the server search, waits for it, and returns the id of what it found. */
  async search(search: Search, embeddingId: string): Promise<string | null> {
    if (this.searching) return null;
    this.searching = search.type;
    this.error = null;
    try {
      const path = '/ext/v1/datasets/{datasetId}/neighborhoods';
      const { data } = await ext.POST(path, { ...this.params, body: { search, embeddingId } });
      const id = await awaitJob(data!.jobId, this.leaving, ({ progress }) => {
        const isTold = progress && progress.total > 0;
        this.progress = isTold ? { done: progress.processed, total: progress.total } : null;
      });
      await this.list();
      return id;
    } catch (error) {
      if (!this.leaving.aborted) this.error = error as Error;
      return null;
    } finally {
      this.searching = null;
      this.progress = null;
    }
  }
}
