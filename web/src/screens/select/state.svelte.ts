/** What the page of selections knows: the rules, what they would do, and what was begun. */

import { ext, fetchBytes, v1, type ApiError } from '../../api/client';
import {
  fetchTagBits,
  queryColumns,
  type ColumnInfo,
  type QueryTail,
  type TagSummary,
} from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import { groupOf } from '../../lib/columnNames';
import { readColumn } from '../../lib/columnFormat';
import { router } from '../../lib/router.svelte';
import {
  countWanted,
  findKept,
  findLosses,
  makeFilter,
  type Loss,
} from '../../lib/selection/preview';
import { findGap, needsVectors, type Rule } from '../../lib/selection/rules';
import { readSelectView, writeSelectView, type SelectView } from '../../lib/selection/view';

export const INITIAL_TAG = 'initial-tag';
const POLL_MS = 1_000;
const DEBOUNCE_MS = 250;
/** Categories that losses are looked for in: the first ones that have not too many classes. */
const MAX_KEYS = 20;
const MAX_CLASSES = 50;

export interface ScoreInfo {
  id: string;
  scoreType: string;
}

export interface TaskInfo {
  name: string;
  type: string;
  categories: string[];
}

/** What one threshold would do to the samples that are chosen from. */
export interface RuleCount {
  dropped: number;
  missing: number;
  losses: Loss[];
}

export class SelectState {
  view = $state.raw<SelectView>(readSelectView(''));
  tags = $state.raw<TagSummary[]>([]);
  columns = $state.raw<ColumnInfo[]>([]);
  scores = $state.raw<ScoreInfo[]>([]);
  tasks = $state.raw<TaskInfo[]>([]);
  embeddings = $state.raw<{ id: string; name: string }[]>([]);
  isLoaded = $state(false);
  isCollecting = $state(false);
  error = $state.raw<Error | null>(null);
  /** What was begun has ended: whoever changes a rule then means another selection. */
  isJobOver = false;

  isCounting = $state(false);
  countError = $state.raw<Error | null>(null);
  /** By the place of the rule. */
  counts = $state.raw<(RuleCount | null)[]>([]);
  /** Samples to choose from, without those that are chosen already; and those of them that are left. */
  nCandidates = $state(0);
  nEligible = $state(0);
  nPreselected = $state(0);
  /** Samples by category of all that thresholds keep, by key. */
  mixes = $state.raw<Record<string, number[]>>({});

  private readonly leaving = new AbortController();
  private counting: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly bits = new Map<string, Promise<Bitset>>();
  private readonly scoreValues = new Map<string, Promise<Float32Array>>();

  /** Columns that a selection can go by; scores and predictions have sources of their own. */
  metadata: ColumnInfo[] = $derived(
    this.columns.filter((info) => ['Metadata', 'Measured'].includes(groupOf(info.key))),
  );
  initial: TagSummary | null = $derived(this.tags.find((tag) => tag.name === INITIAL_TAG) ?? null);
  from: TagSummary | null = $derived(
    this.tags.find((tag) => tag.id === this.view.from) ?? this.initial,
  );
  tagNames: Map<string, string> = $derived(new Map(this.tags.map((tag) => [tag.id, tag.name])));
  nWanted: number | null = $derived(countWanted(this.view.amount, this.nCandidates));
  nPicked: number = $derived(
    this.nWanted === null ? this.nEligible : Math.min(this.nWanted, this.nEligible),
  );
  lacksVectors: boolean = $derived(
    this.isLoaded &&
      this.view.where === 'server' &&
      !this.embeddings.length &&
      needsVectors(this.view.rules),
  );

  constructor(
    readonly datasetId: string,
    query: string,
  ) {
    this.view = readSelectView(query);
  }

  async load(): Promise<void> {
    const params = { params: { path: { datasetId: this.datasetId } }, signal: this.leaving.signal };
    this.error = null;
    try {
      const [embeddings, tasks] = await Promise.all([
        v1.GET('/v1/datasets/{datasetId}/embeddings', params),
        v1.GET('/v1/datasets/{datasetId}/predictions/tasks', params),
        this.loadTags(),
      ]);
      this.embeddings = (embeddings.data ?? []).map(({ id, name }) => ({ id, name }));
      this.tasks = (tasks.data?.schemas ?? []).map(({ name, type, categories }) => ({
        name,
        type,
        categories: categories.map((category) => category.name),
      }));
      await Promise.all([this.loadScores(), this.loadColumns()]);
      this.isLoaded = true;
      this.schedule(0);
    } catch (error) {
      if (!this.leaving.signal.aborted) this.error = error as Error;
    }
  }

  stop(): void {
    this.leaving.abort();
    this.counting?.abort();
    clearTimeout(this.timer);
  }

  /** Follows the address, of Back and of links. */
  follow(query: string): void {
    if (query === writeSelectView(this.view)) return;
    const before = this.view;
    this.view = readSelectView(query);
    if (before.from !== this.view.from) void this.loadScores();
    this.schedule();
  }

  change(part: Partial<SelectView>, options: { isTyping?: boolean } = {}): void {
    const before = this.view;
    this.view = { ...this.view, ...(this.isJobOver ? { job: null } : {}), ...part };
    const query = writeSelectView(this.view);
    const address = `/datasets/${this.datasetId}/select${query ? `?${query}` : ''}`;
    router.go(address, { replace: options.isTyping });
    if (before.from !== this.view.from) void this.loadScores();
    this.schedule();
  }

  setRule(place: number, part: Partial<Rule>, isTyping = false): void {
    const rules = this.view.rules.map((rule, at) => (at === place ? { ...rule, ...part } : rule));
    this.change({ rules }, { isTyping });
  }

  async loadTags(): Promise<void> {
    const params = { params: { path: { datasetId: this.datasetId } }, signal: this.leaving.signal };
    this.tags = (await ext.GET('/ext/v1/datasets/{datasetId}/tags', params)).data ?? [];
  }

  private async loadScores(): Promise<void> {
    this.scores = [];
    // Asking for scores that do not exist is an error of the contract.
    if (!this.from?.hasScores) return;
    const tagId = this.from.id;
    const { data } = await v1.GET('/v1/datasets/{datasetId}/tags/{tagId}/scores', {
      params: { path: { datasetId: this.datasetId, tagId } },
      signal: this.leaving.signal,
    });
    if (this.from?.id !== tagId) return;
    this.scores = (data ?? []).map(({ id, scoreType }) => ({ id, scoreType }));
    this.schedule();
  }

  private async loadColumns(): Promise<void> {
    const params = { params: { path: { datasetId: this.datasetId } }, signal: this.leaving.signal };
    const { data } = await ext.GET('/ext/v1/datasets/{datasetId}/columns', params);
    if (data?.state === 'READY') {
      this.isCollecting = false;
      this.columns = data.columns ?? [];
      this.schedule(0);
      return;
    }
    this.isCollecting = true;
    setTimeout(() => {
      if (!this.leaving.signal.aborted) this.loadColumns().catch((error) => (this.error = error));
    }, POLL_MS);
  }

  /** Counts again when nothing was typed for a moment. */
  private schedule(waitMs = DEBOUNCE_MS): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.count(), waitMs);
  }

  private async count(): Promise<void> {
    const { from, view } = this;
    this.counting?.abort();
    if (!from) return;
    const abort = (this.counting = new AbortController());
    this.isCounting = true;
    try {
      const all = await this.readTag(from);
      const preselected = this.tags.find((tag) => tag.id === view.preselected);
      const chosen = preselected ? await this.readTag(preselected) : new Bitset(all.size);
      const candidates = all.andNot(chosen);
      const totals = await this.countClasses([], from, abort.signal);
      const results = await Promise.all(
        view.rules.map((rule) => this.countRule(rule, from, all, candidates, totals, abort.signal)),
      );
      if (abort.signal.aborted) return;
      let eligible = candidates;
      for (const result of results) if (result?.kept) eligible = eligible.and(result.kept);
      const filters = view.rules.map(makeFilter).filter((filter) => filter !== null);
      const mixes = filters.length ? await this.countClasses(filters, from, abort.signal) : totals;
      this.mixes = mixes.histograms;
      this.counts = results.map((result) => result?.count ?? null);
      this.nPreselected = chosen.count();
      this.nCandidates = candidates.count();
      this.nEligible = eligible.count();
      this.countError = null;
    } catch (error) {
      if (!abort.signal.aborted) this.countError = error as Error;
    } finally {
      if (this.counting === abort) this.isCounting = false;
    }
  }

  private async countRule(
    rule: Rule,
    from: TagSummary,
    all: Bitset,
    candidates: Bitset,
    totals: QueryTail,
    signal: AbortSignal,
  ): Promise<{ kept: Bitset | null; count: RuleCount } | null> {
    const missing = this.countMissing(rule, from);
    if (rule.kind !== 'threshold') {
      return missing === null ? null : { kept: null, count: { dropped: 0, missing, losses: [] } };
    }
    if (findGap(rule)) return null;
    if (rule.source === 'metadata') {
      const found = await this.query([makeFilter(rule)!], from, signal);
      const kept = new Bitset(all.size, found.values as Uint8Array);
      const dropped = candidates.andNot(kept).count();
      const share = dropped / Math.max(1, candidates.count());
      const losses = findLosses(this.columns, totals.histograms, found.tail.histograms, share);
      return { kept, count: { dropped, missing: missing ?? 0, losses } };
    }
    const score = this.scores.find((one) => one.scoreType === rule.key);
    if (rule.source !== 'score' || !score) return null;
    const kept = findKept(await this.readScores(from, score.id), rule.operation, rule.value!);
    const dropped = candidates.andNot(kept).count();
    return { kept, count: { dropped, missing: 0, losses: [] } };
  }

  /** How many of all samples have no value; null where that is not known. */
  private countMissing(rule: Rule, from: TagSummary): number | null {
    const hasKey = ['weights', 'threshold', 'balance'].includes(rule.kind);
    if (!hasKey || rule.source !== 'metadata' || from.name !== INITIAL_TAG) return null;
    const info = this.columns.find((column) => column.key === rule.key);
    return info ? from.count - info.nPresent : null;
  }

  private async countClasses(
    filters: NonNullable<ReturnType<typeof makeFilter>>[],
    from: TagSummary,
    signal: AbortSignal,
  ): Promise<QueryTail> {
    return (await this.query(filters, from, signal)).tail;
  }

  private query(
    filters: NonNullable<ReturnType<typeof makeFilter>>[],
    from: TagSummary,
    signal: AbortSignal,
  ) {
    const used = new Set(this.view.rules.map((rule) => rule.key));
    const histograms = this.columns
      .filter((info) => info.kind === 'category')
      .filter((info) => used.has(info.key) || (info.categories?.length ?? 0) <= MAX_CLASSES)
      .slice(0, MAX_KEYS)
      .map((info) => info.key);
    const tagId = from.name === INITIAL_TAG ? null : from.id;
    return queryColumns(this.datasetId, { filters, tagId, histograms }, signal);
  }

  private readTag(tag: TagSummary): Promise<Bitset> {
    const name = `${tag.id}-${tag.lastModifiedAt}`;
    let bits = this.bits.get(name);
    if (!bits) {
      bits = fetchTagBits(this.datasetId, tag.id, this.leaving.signal).then(
        (column) => new Bitset(column.count, column.values as Uint8Array),
      );
      bits.catch(() => this.bits.delete(name));
      this.bits.set(name, bits);
    }
    return bits;
  }

  private readScores(tag: TagSummary, scoreId: string): Promise<Float32Array> {
    let values = this.scoreValues.get(scoreId);
    if (!values) {
      const path = `/ext/v1/datasets/${this.datasetId}/columns/tags/${tag.id}/scores/${scoreId}`;
      values = fetchBytes(path, { signal: this.leaving.signal }).then(
        (buffer) => readColumn(buffer).values as Float32Array,
      );
      values.catch(() => this.scoreValues.delete(scoreId));
      this.scoreValues.set(scoreId, values);
    }
    return values;
  }
}

export const isGone = (error: Error | null): boolean => (error as ApiError | null)?.status === 404;
