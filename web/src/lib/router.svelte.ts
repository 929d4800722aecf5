/** Addresses of the app over the browser's history. */

export type Route =
  | { name: 'login' | 'datasets' | 'newDataset' | 'account' | 'runs' | 'workers' | 'notFound' }
  | { name: 'dataset' | 'explore' | 'tags' | 'select' | 'export' | 'analyze'; datasetId: string }
  | { name: 'view'; viewId: string }
  | { name: 'sample'; datasetId: string; sampleId: string }
  | { name: 'datasetRuns' | 'scheduleRun'; datasetId: string }
  | { name: 'settings'; datasetId: string; section: string }
  | { name: 'run'; runId: string }
  | { name: 'team'; teamId: string };

const ID = '([a-f0-9]{24})';
const TABLE: [RegExp, (match: RegExpExecArray) => Route][] = [
  [/^\/$/, () => ({ name: 'datasets' })],
  [/^\/login$/, () => ({ name: 'login' })],
  [/^\/account$/, () => ({ name: 'account' })],
  [/^\/datasets$/, () => ({ name: 'datasets' })],
  [/^\/datasets\/new$/, () => ({ name: 'newDataset' })],
  [/^\/runs$/, () => ({ name: 'runs' })],
  [/^\/workers$/, () => ({ name: 'workers' })],
  [new RegExp(`^/v/${ID}$`), (m) => ({ name: 'view', viewId: m[1] })],
  [new RegExp(`^/datasets/${ID}$`), (m) => ({ name: 'dataset', datasetId: m[1] })],
  [new RegExp(`^/datasets/${ID}/explore$`), (m) => ({ name: 'explore', datasetId: m[1] })],
  [new RegExp(`^/datasets/${ID}/tags$`), (m) => ({ name: 'tags', datasetId: m[1] })],
  [new RegExp(`^/datasets/${ID}/analyze$`), (m) => ({ name: 'analyze', datasetId: m[1] })],
  [new RegExp(`^/datasets/${ID}/export$`), (m) => ({ name: 'export', datasetId: m[1] })],
  [new RegExp(`^/datasets/${ID}/select$`), (m) => ({ name: 'select', datasetId: m[1] })],
  [new RegExp(`^/datasets/${ID}/runs$`), (m) => ({ name: 'datasetRuns', datasetId: m[1] })],
  [new RegExp(`^/datasets/${ID}/runs/new$`), (m) => ({ name: 'scheduleRun', datasetId: m[1] })],
  [
    new RegExp(`^/datasets/${ID}/settings/(source|metadata|predictions|sharing)$`),
    (m) => ({ name: 'settings', datasetId: m[1], section: m[2] }),
  ],
  [new RegExp(`^/runs/${ID}$`), (m) => ({ name: 'run', runId: m[1] })],
  [new RegExp(`^/teams/${ID}$`), (m) => ({ name: 'team', teamId: m[1] })],
  [
    new RegExp(`^/datasets/${ID}/explore/${ID}$`),
    (m) => ({ name: 'sample', datasetId: m[1], sampleId: m[2] }),
  ],
];

export function findRoute(path: string): Route {
  const clean = path.length > 1 ? path.replace(/\/+$/, '') : path;
  for (const [pattern, make] of TABLE) {
    const match = pattern.exec(clean);
    if (match) return make(match);
  }
  return { name: 'notFound' };
}

class Router {
  path = $state(location.pathname);
  query = $state(location.search.slice(1));
  route = $derived(findRoute(this.path));
  private isInDrag = false;

  constructor() {
    window.addEventListener('popstate', () => {
      this.isInDrag = false;
      this.read();
    });
    document.addEventListener('click', (event) => this.follow(event));
  }

  /** Goes there. A drag is one step back: its first address is new, those after it replace it. */
  go(address: string, options: { replace?: boolean; isDragging?: boolean } = {}): void {
    if (options.replace || this.isInDrag) history.replaceState(history.state, '', address);
    else history.pushState(null, '', address);
    this.isInDrag = options.isDragging === true && !options.replace;
    this.read();
  }

  private read(): void {
    this.path = location.pathname;
    this.query = location.search.slice(1);
  }

  /** Plain clicks on our own links stay in the app. */
  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.origin !== location.origin || link.hasAttribute('download'))
      return;
    event.preventDefault();
    this.go(link.pathname + link.search);
    window.scrollTo(0, 0);
  }
}

export const router = new Router();
