/** Texts of the page of exports. */

import type { Format } from '../lib/exportFormats';

export const exports = {
  title: 'Export',
  lead: 'Files of a tag, for scripts and for labelling tools.',
  tag: 'Tag',
  formats: 'Format',
  format: {
    names: ['File names', 'One per line.'],
    urls: ['Read URLs', 'One per line, for download tools.'],
    namesAndUrls: ['Names and URLs', 'JSON with both.'],
    zip: ['Images', 'All images in one ZIP file.'],
    labelStudio: ['Label Studio', 'Tasks to import.'],
    labelbox: ['Labelbox', 'Data rows of version 4.'],
    labelbox3: ['Labelbox, older', 'Data rows up to version 3.'],
    sama: ['Sama', 'Tasks to import.'],
  } satisfies Record<Format, [string, string]>,
  expiry: 'URLs work for',
  expiries: ['as long as my token', 'an hour', 'a day', '7 days', '30 days'],
  until: 'URLs work until',
  untilToken: 'URLs work as long as your API token does: rotate it, and they end.',
  share: 'Whoever has the file can read its images for that long, without signing in.',
  nameFormat: 'Names are',
  nameFormats: { NAME: 'as in the dataset', DATASOURCE_FULL: 'full paths in the datasource' },
  metadata: 'With metadata',
  download: 'Download',
  of: 'of',
  preview: 'The first entry',
  noPreview: 'The archive holds each image under its file name.',
  empty: 'This tag has no samples.',
  python: 'In Python',
  noTags: 'There is nothing to export yet: an upload makes the first tag when it ends.',
};
