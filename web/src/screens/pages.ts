/** Pages that load when they are first opened. */

import type { Component } from 'svelte';
import type { Route } from '../lib/router.svelte';

// Each page has properties of its own; `findPage` gives it those.
type Loaded = Promise<{ default: Component<any> }>;

export interface LazyPage {
  title: string;
  load: () => Loaded;
  props: Record<string, string>;
  /** Another key is another page: nothing of the one before stays. */
  key: string;
}

const runList = (): Loaded => import('./runs/RunList.svelte');
const settings = (): Loaded => import('./settings/Settings.svelte');

/** The page of a route; null for those that the app itself shows. */
export function findPage(route: Route): LazyPage | null {
  const make = (title: string, load: () => Loaded, props: Record<string, string> = {}) => ({
    title,
    load,
    props,
    key: `${route.name} ${Object.values(props).join(' ')}`,
  });
  switch (route.name) {
    case 'runs':
      return make('Runs', runList);
    case 'datasetRuns':
      return make('Runs', runList, { datasetId: route.datasetId });
    case 'scheduleRun':
      return make('Schedule a run', () => import('./runs/ScheduleRun.svelte'), {
        datasetId: route.datasetId,
      });
    case 'run':
      return make('Run', () => import('./runs/RunPage.svelte'), { runId: route.runId });
    case 'workers':
      return make('Workers', () => import('./workers/Workers.svelte'));
    case 'settings':
      return make('Settings', settings, { datasetId: route.datasetId, section: route.section });
    case 'account':
      return make('Account', () => import('./account/Account.svelte'));
    case 'team':
      return make('Team', () => import('./account/Team.svelte'), { teamId: route.teamId });
    default:
      return null;
  }
}
