/** What happens on the server, as it happens: one stream of events for the whole page. */

import { session } from './session.svelte';

export interface Wish {
  runs?: boolean;
  workers?: boolean;
  runId?: string;
  datasetId?: string;
  jobId?: string;
}

export type LiveEvent =
  'run' | 'waiting' | 'log' | 'workers' | 'dataset' | 'job' | 'reload' | 'gone';
export type Handlers = Partial<Record<LiveEvent, (data: never) => void>>;

const EVENTS: LiveEvent[] = [
  'run',
  'waiting',
  'log',
  'workers',
  'dataset',
  'job',
  'reload',
  'gone',
];
/** A hidden page gives its connection back: browsers have few of them for one host. */
const HIDDEN_MS = 30_000;
const AGAIN_MS = 5_000;
/** Shorter breaks, such as the restart of a server, are nothing that people must know. */
const LOST_MS = 3_000;

/** The address of a stream for all wishes of a page; null when there are none. */
export function writeAddress(wishes: Iterable<Wish>): string | null {
  const all: Wish = Object.assign({}, ...wishes);
  const query = new URLSearchParams();
  if (all.runs) query.set('runs', 'true');
  if (all.workers) query.set('workers', 'true');
  if (all.runId) query.set('runId', all.runId);
  if (all.datasetId) query.set('datasetId', all.datasetId);
  if (all.jobId) query.set('jobId', all.jobId);
  return query.size ? `/ext/v1/events?${query}` : null;
}

class Live {
  /** Whether the stream has been away for a while. */
  isLost = $state(false);
  private listeners = new Map<Handlers, Wish>();
  private source: EventSource | null = null;
  private address: string | null = null;
  private lastId = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lostTimer: ReturnType<typeof setTimeout> | undefined;
  private isPlanned = false;

  constructor() {
    document.addEventListener('visibilitychange', () => this.seeVisibility());
  }

  /** Listens until the returned function is called. */
  listen(wish: Wish, handlers: Handlers): () => void {
    this.listeners.set(handlers, wish);
    this.plan();
    return () => {
      this.listeners.delete(handlers);
      this.plan();
    };
  }

  private plan(): void {
    if (this.isPlanned) return;
    this.isPlanned = true;
    // Pages come and go in one turn; the stream changes once.
    queueMicrotask(() => {
      this.isPlanned = false;
      const address = writeAddress(this.listeners.values());
      if (address === this.address) return;
      this.address = address;
      this.lastId = '';
      this.close();
      this.open();
    });
  }

  private open(): void {
    if (!this.address || document.hidden || this.source) return;
    const after = this.lastId ? `&after=${this.lastId}` : '';
    const source = new EventSource(this.address + after);
    this.source = source;
    source.onopen = () => this.setLost(false);
    source.onerror = () => this.seeError(source);
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        this.lastId = event.lastEventId || this.lastId;
        const data = JSON.parse(event.data) as never;
        for (const handlers of [...this.listeners.keys()]) handlers[name]?.(data);
      });
    }
  }

  private close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** Browsers try again by themselves unless the server has answered with an error. */
  private seeError(source: EventSource): void {
    this.setLost(true);
    if (source !== this.source || source.readyState !== EventSource.CLOSED) return;
    this.close();
    this.timer = setTimeout(() => {
      // Whoever is not signed in any more is led to the page for that.
      session.load().then(
        () => session.user && this.open(),
        () => this.open(),
      );
    }, AGAIN_MS);
  }

  private setLost(isLost: boolean): void {
    if (!isLost) {
      clearTimeout(this.lostTimer);
      this.lostTimer = undefined;
      this.isLost = false;
    } else if (this.lostTimer === undefined) {
      this.lostTimer = setTimeout(() => (this.isLost = true), LOST_MS);
    }
  }

  private seeVisibility(): void {
    clearTimeout(this.timer);
    if (document.hidden) this.timer = setTimeout(() => this.close(), HIDDEN_MS);
    else this.open();
  }
}

export const live = new Live();
