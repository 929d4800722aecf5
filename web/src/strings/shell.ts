/** Texts around all pages: header, titles, dialogs, notes. */

import { formatCount, plural } from '../lib/format';

export const shell = {
  loading: 'Loading',
  close: 'Close',
  closeMessage: 'Close message',
  cancel: 'Cancel',
  retry: 'Try again',
  request: 'Request',
  copy: 'Copy',
  copied: 'Copied',
  copyIt: (label: string) => `Copy: ${label}`,
  notCopied: 'The browser does not allow copying here. Select the text instead.',
  whereYouAre: 'Where you are',
  dataset: 'Dataset',
  pages: { datasets: 'Datasets', runs: 'Runs', workers: 'Workers' },
  tabs: {
    dataset: 'Overview',
    explore: 'Explore',
    tags: 'Tags',
    analyze: 'Analyze',
    select: 'Select',
    export: 'Export',
    datasetRuns: 'Runs',
    settings: 'Settings',
  },
  withKeys: (label: string, keys: string) => `${label} (${keys})`,
  shortcuts: 'Keyboard shortcuts',
  light: 'Light theme',
  dark: 'Dark theme',
  account: 'Account',
  version: (version: string) => `Version ${version}`,
  signOut: 'Sign out',
  titles: {
    login: 'Sign in',
    datasets: 'Datasets',
    newDataset: 'New dataset',
    dataset: 'Dataset',
    explore: 'Explore',
    sample: 'Sample',
    tags: 'Tags',
    select: 'Select',
    export: 'Export',
    analyze: 'Analyze',
    notFound: 'Not found',
  } as Record<string, string>,
  missing: {
    title: (what: string) => `There is no such ${what}`,
    text: 'It was deleted, it belongs to somebody else, or the address has a mistake.',
    back: 'All datasets',
    page: 'page',
  },
  countOf: (count: number, total: number) => `${formatCount(count)} of ${formatCount(total)}`,
  empty: '(empty)',
  fewer: 'Fewer',
  more: (count: number) => `${formatCount(count)} more`,
} as const;

export const signIn = {
  title: 'Sign in to Lightly',
  lead: 'Look at your images, choose what matters, hand it on.',
  token: 'API token',
  unknown:
    'The server does not know this token. Copy it once more; a rotated token no longer works.',
  submit: 'Sign in',
  busy: 'Signing in…',
  help: [
    'The server printed the first token when it started and keeps it in',
    'in its data folder. More people:',
  ],
  file: 'admin-token',
  command: 'lightly admin user add EMAIL',
} as const;

export const deleting = {
  title: 'Delete this dataset?',
  text: (samples: number) =>
    `with ${plural(samples, 'sample')}, all tags and embeddings goes away for everybody who uses it. Images in your own bucket stay.`,
  confirm: 'Type its name to confirm',
  keep: 'Keep it',
  action: 'Delete',
  done: (name: string) => `Deleted ${name}.`,
} as const;
