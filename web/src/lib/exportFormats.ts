/** Files that a tag can be exported as, and the addresses that they come from. */

export const FORMATS = {
  names: { path: 'basic/filenames', ending: 'txt', options: ['nameFormat'] },
  urls: { path: 'basic/filenames', ending: 'txt', options: ['expiry'] },
  namesAndUrls: { path: 'basic/filenamesAndReadUrls', ending: 'json', options: [] },
  zip: { path: 'zip', ending: 'zip', options: [] },
  labelStudio: {
    path: 'LabelStudio/tasks',
    ending: 'json',
    options: ['expiry', 'nameFormat', 'metadata'],
  },
  labelbox: { path: 'LabelBoxV4/datarows', ending: 'json', options: ['expiry', 'nameFormat'] },
  labelbox3: { path: 'LabelBox/datarows', ending: 'json', options: ['expiry', 'nameFormat'] },
  sama: { path: 'Sama/tasks', ending: 'json', options: ['expiry', 'nameFormat', 'metadata'] },
} as const satisfies Record<
  string,
  { path: string; ending: string; options: readonly ('expiry' | 'nameFormat' | 'metadata')[] }
>;
export type Format = keyof typeof FORMATS;

const HOUR_S = 3600;
/** How long URLs may work; null for as long as the token of whoever exports. */
export const EXPIRIES_S = [null, HOUR_S, 24 * HOUR_S, 7 * 24 * HOUR_S, 30 * 24 * HOUR_S] as const;
export type Expiry = (typeof EXPIRIES_S)[number];
export const NAME_FORMATS = ['NAME', 'DATASOURCE_FULL'] as const;

export interface ExportView {
  tag: string | null;
  format: Format;
  expiresInS: Expiry;
  nameFormat: (typeof NAME_FORMATS)[number];
  hasMetadata: boolean;
}

export function readExportView(query: string): ExportView {
  const given = new URLSearchParams(query);
  const format = given.get('format') ?? '';
  const seconds = Number(given.get('expires'));
  return {
    tag: given.get('tag'),
    format: Object.hasOwn(FORMATS, format) ? (format as Format) : 'names',
    expiresInS: EXPIRIES_S.find((one) => one === seconds) ?? null,
    nameFormat: given.get('names') === 'datasource' ? 'DATASOURCE_FULL' : 'NAME',
    hasMetadata: given.get('meta') !== '0',
  };
}

export function writeExportView(view: ExportView): string {
  const query = new URLSearchParams();
  if (view.tag) query.set('tag', view.tag);
  if (view.format !== 'names') query.set('format', view.format);
  if (view.expiresInS !== null) query.set('expires', String(view.expiresInS));
  if (view.nameFormat !== 'NAME') query.set('names', 'datasource');
  if (!view.hasMetadata) query.set('meta', '0');
  return query.toString();
}

/** Whether a format has URLs in it. */
export const hasUrls = (format: Format): boolean => format !== 'names' && format !== 'zip';

/** Where the file comes from; `isPreview` asks for its first entry only. */
export function makeExportUrl(
  datasetId: string,
  tagId: string,
  view: ExportView,
  isPreview = false,
): string {
  const { path, ending, options } = FORMATS[view.format];
  const allowed: readonly string[] = options;
  const query = new URLSearchParams();
  if (ending === 'txt') query.set('format', 'PLAIN');
  if (view.format === 'urls') query.set('fileNameFormat', 'REDIRECTED_READ_URL');
  if (allowed.includes('nameFormat') && view.nameFormat !== 'NAME')
    query.set('fileNameFormat', view.nameFormat);
  if (allowed.includes('expiry') && view.expiresInS !== null)
    query.set('expiresIn', String(view.expiresInS));
  if (allowed.includes('metadata') && !view.hasMetadata) query.set('includeMetaData', 'false');
  if (isPreview) query.set('previewExample', 'true');
  const tail = query.toString();
  return `/v1/datasets/${datasetId}/tags/${tagId}/export/${path}${tail ? `?${tail}` : ''}`;
}

/** A name that every file system takes. */
export function nameFile(datasetName: string, tagName: string, format: Format): string {
  const clean = (text: string) => text.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80);
  const kind = ['names', 'zip'].includes(format) ? '' : `-${format}`;
  return `${clean(datasetName)}-${clean(tagName)}${kind}.${FORMATS[format].ending}`;
}

/** An entry as it is shown: JSON with one field per line. */
export function formatPreview(text: string, format: Format): string {
  if (FORMATS[format].ending !== 'json') return text;
  const entries = JSON.parse(text) as unknown[];
  return JSON.stringify(entries.slice(0, 1), null, 2);
}

/** The Python that gets the same; null where the client has no method of its own. */
export function writeExportPython(
  datasetId: string,
  tagName: string,
  format: Format,
): string | null {
  const methods: Partial<Record<Format, string>> = {
    names: 'export_filenames_by_tag_name',
    namesAndUrls: 'export_filenames_and_read_urls_by_tag_name',
    labelStudio: 'export_label_studio_tasks_by_tag_name',
    labelbox: 'export_label_box_v4_data_rows_by_tag_name',
    labelbox3: 'export_label_box_data_rows_by_tag_name',
  };
  const method = methods[format];
  if (!method && format !== 'zip') return null;
  const call = method
    ? `entries = client.${method}(${JSON.stringify(tagName)})`
    : `client.download_dataset("images", tag_name=${JSON.stringify(tagName)})`;
  return `from lightly.api import ApiWorkflowClient

client = ApiWorkflowClient(dataset_id="${datasetId}")
${call}
`;
}
