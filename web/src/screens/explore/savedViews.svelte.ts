/** Views that the server keeps: those with names, and short links to addresses that got long. */

import { ext } from '../../api/client';
import type { components } from '../../api/extension';

export type SavedView = components['schemas']['SavedView'];

const KEPT = 400;

export class SavedViews {
  /** Those with names; null until they are asked for. */
  list = $state.raw<SavedView[] | null>(null);
  private readonly queries = new Map<string, string>();
  private readonly ids = new Map<string, string>();

  constructor(
    private readonly datasetId: string,
    private readonly leaving: AbortSignal,
  ) {}

  private get path() {
    return { datasetId: this.datasetId };
  }

  private note(id: string, query: string): void {
    if (this.queries.size > KEPT) {
      this.queries.clear();
      this.ids.clear();
    }
    this.queries.set(id, query);
    this.ids.set(query, id);
  }

  /** What is behind a short link, as far as that is known here. */
  queryOf(id: string): string | undefined {
    return this.queries.get(id);
  }

  /** The part of an address after the question mark, shorter where the server keeps it. */
  shorten(query: string): string {
    const id = this.ids.get(query);
    return id ? `v=${id}` : query;
  }

  /** Asks what is behind a short link; throws when there is nothing. */
  async open(id: string): Promise<string> {
    const { data } = await ext.GET('/ext/v1/views/{viewId}', {
      params: { path: { viewId: id } },
      signal: this.leaving,
    });
    this.note(id, data!.query);
    return data!.query;
  }

  /** Keeps a query under a short link. */
  async keep(query: string): Promise<void> {
    const { data } = await ext.POST('/ext/v1/datasets/{datasetId}/views', {
      params: { path: this.path },
      body: { query },
      signal: this.leaving,
    });
    this.note(data!.id, query);
  }

  async load(): Promise<void> {
    const { data } = await ext.GET('/ext/v1/datasets/{datasetId}/views', {
      params: { path: this.path },
      signal: this.leaving,
    });
    this.list = data ?? [];
    for (const view of this.list) this.queries.set(view.id, view.query);
  }

  async save(name: string, query: string): Promise<string> {
    const { data } = await ext.POST('/ext/v1/datasets/{datasetId}/views', {
      params: { path: this.path },
      body: { name, query },
    });
    await this.load();
    return data!.id;
  }

  async rename(id: string, name: string): Promise<void> {
    const path = { ...this.path, viewId: id };
    await ext.PUT('/ext/v1/datasets/{datasetId}/views/{viewId}', {
      params: { path },
      body: { name },
    });
    await this.load();
  }

  async delete(id: string): Promise<void> {
    const path = { ...this.path, viewId: id };
    await ext.DELETE('/ext/v1/datasets/{datasetId}/views/{viewId}', { params: { path } });
    this.list = (this.list ?? []).filter((view) => view.id !== id);
    this.ids.delete(this.queries.get(id) ?? '');
    this.queries.delete(id);
  }
}
