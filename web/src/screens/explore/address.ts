/** The address of the explore page: written as the view changes, short where it would be long. */

import { needsShortLink, readViewId, writeView, type ExploreView } from '../../lib/exploreUrl';
import { router } from '../../lib/router.svelte';
import type { SavedViews } from './savedViews.svelte';

/** A short link is made when somebody stops changing things for so long. */
const SETTLE_MS = 300;

export class Address {
  private settling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly path: string,
    private readonly views: SavedViews,
    private readonly current: () => ExploreView,
    private readonly leaving: AbortSignal,
  ) {
    leaving.addEventListener('abort', () => clearTimeout(this.settling));
  }

  /** Of the grid, or of a sample on top of it. */
  of(view: ExploreView, sampleId: string | null = null): string {
    const query = this.views.shorten(writeView(view));
    const path = sampleId ? `${this.path}/${sampleId}` : this.path;
    return query ? `${path}?${query}` : path;
  }

  write(options: { isReplaced: boolean; isDragging: boolean }): void {
    clearTimeout(this.settling);
    const view = this.current();
    const { isReplaced: replace, isDragging } = options;
    router.go(this.of(view), { replace, isDragging });
    if (!isDragging && needsShortLink(view)) {
      this.settling = setTimeout(() => void this.shorten(view), SETTLE_MS);
    }
  }

  private async shorten(view: ExploreView): Promise<void> {
    const query = writeView(view);
    try {
      await this.views.keep(query);
    } catch {
      // The long address works as well, for as long as browsers take it.
      return;
    }
    if (this.leaving.aborted || router.query !== query) return;
    router.go(`${router.path}?${this.views.shorten(query)}`, { replace: true });
  }

  /** What a query stands for. Throws when it is a short link that leads nowhere. */
  async resolve(query: string): Promise<string> {
    const id = readViewId(query);
    return id ? (this.views.queryOf(id) ?? (await this.views.open(id))) : query;
  }

  /** Likewise, as far as that is known without asking. */
  resolveKnown(query: string): string | undefined {
    const id = readViewId(query);
    return id ? this.views.queryOf(id) : query;
  }
}
