import { ext } from '../../api/client';
import { live } from '../../lib/live.svelte';
import { upsertRun, type RunSummary, type WaitingRun } from '../../lib/runs';

const PAGE = 50;

/** Runs of a list, kept as they are by events. */
export class RunListState {
  runs = $state.raw<RunSummary[]>([]);
  waiting = $state.raw<WaitingRun[]>([]);
  next = $state<string | undefined>();
  isLoaded = $state(false);
  error = $state.raw<Error | null>(null);

  constructor(private readonly datasetId: string | undefined) {}

  /** Loads the list and follows it until the returned function is called. */
  follow(): () => void {
    void this.load();
    return live.listen(
      { runs: true, datasetId: this.datasetId },
      {
        run: (run: RunSummary) => {
          // Events of a page's own run are of this form too.
          const isOurs = this.datasetId === undefined || run.datasetId === this.datasetId;
          if (this.isLoaded && isOurs) this.runs = upsertRun(this.runs, run);
        },
        waiting: (waiting: WaitingRun[]) => (this.waiting = waiting),
        reload: () => void this.load(),
      },
    );
  }

  async load(): Promise<void> {
    this.error = null;
    try {
      const page = await this.fetch();
      this.runs = page.runs;
      this.waiting = page.waiting;
      this.next = page.next;
      this.isLoaded = true;
    } catch (error) {
      this.error = error as Error;
    }
  }

  async loadOlder(): Promise<void> {
    const page = await this.fetch(this.next);
    this.runs = [...this.runs, ...page.runs];
    this.next = page.next;
  }

  private async fetch(before = '') {
    const query = { datasetId: this.datasetId, before, limit: PAGE };
    return (await ext.GET('/ext/v1/runs', { params: { query } })).data!;
  }
}
