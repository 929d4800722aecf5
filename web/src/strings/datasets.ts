/** Texts of the list of datasets, of a dataset's first page and of the first start. */

import { formatCount } from '../lib/format';

export const datasetTexts = {
  title: 'Datasets',
  make: 'New dataset',
  search: 'Search by name',
  sortBy: 'Sort by',
  orders: { changed: 'Last changed', created: 'Newest', name: 'Name', size: 'Most samples' },
  changed: (moment: string) => `Last changed ${moment}`,
  delete: 'Delete',
  deleteIt: (name: string) => `Delete ${name}`,
  more: (count: number) => `Show ${formatCount(count)} more`,
  favourites: 'Favourites',
  mark: (name: string) => `Mark ${name}`,
  unmark: (name: string) => `Take the mark of ${name} away`,
  onlyFavourites: 'Only marked ones',
  noFavourite: 'None of them is marked.',
  noName: 'No dataset is called so.',
  showAll: (count: string) => `Show all ${count}`,
  byRun: 'run',
  byRunTitle: (state: string) => `A run worked on it: ${state}`,
  shared: 'shared with you',
} as const;

export const homeTexts = {
  explore: 'Explore',
  schedule: 'Schedule run',
  samples: 'Samples',
  tags: 'Tags',
  embeddings: 'Embeddings',
  size: 'Size',
  unknown: 'unknown',
  some: 'Some samples',
  allTags: 'All tags',
  noTag: 'There is no tag yet: an upload makes the first one when it ends.',
  noSample: 'No sample yet',
  noSampleText: 'A run reads the images of the datasource and brings the best of them here.',
  runs: 'Runs',
  allRuns: 'All runs',
  noRun: 'No run on this dataset yet.',
  source: 'Datasource',
  noSource: 'None: images were uploaded, or are to be.',
  setUp: 'Set it up',
  change: 'Change',
  shared: 'It belongs to somebody else, who shares it with you.',
  delete: 'Delete dataset',
  copyId: 'Copy the id',
  copied: 'Copied the id.',
  notCopied: 'The browser does not allow copying here. Select the text instead.',
} as const;

export const newTexts = {
  title: 'New dataset',
  name: 'Name',
  nameRule: 'Letters, digits, blanks, - and _, with a letter or digit in front',
  what: 'What it holds',
  types: {
    Images: ['Images', 'single pictures'],
    Videos: ['Videos', 'frames of videos'],
    Crops: ['Objects', 'cut out of pictures'],
  },
  cancel: 'Cancel',
  create: 'Create',
  ready: (name: string) => `${name} is ready for samples`,
  shell: 'Upload a folder from a shell',
  python: 'Use it from Python',
  pythonLabel: 'use it from Python',
  open: 'Open the dataset',
} as const;

export const firstTexts = {
  title: 'No dataset yet',
  titleOf: 'No sample yet',
  lead: 'Three lines in a shell put a folder of images here. Put in where your images are.',
  label: 'upload a folder',
  folder: 'Folder of images',
  tokenName: 'first steps',
  empty: 'Or make an empty dataset first',
  install: 'The package has to be installed there: pip install lightly-platform',
} as const;
