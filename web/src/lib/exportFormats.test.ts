import { describe, expect, it } from 'vitest';
import {
  FORMATS,
  formatPreview,
  hasUrls,
  makeExportUrl,
  nameFile,
  readExportView,
  writeExportView,
  type ExportView,
  type Format,
} from './exportFormats';

const VIEW: ExportView = {
  tag: 'a'.repeat(24),
  format: 'labelStudio',
  expiresInS: 86_400,
  nameFormat: 'DATASOURCE_FULL',
  hasMetadata: false,
};

describe('exports', () => {
  it('keep what was chosen in the address', () => {
    for (const format of Object.keys(FORMATS) as Format[])
      expect(readExportView(writeExportView({ ...VIEW, format }))).toEqual({ ...VIEW, format });
    expect(readExportView('format=toString&expires=5').format).toBe('names');
    expect(readExportView('expires=5').expiresInS).toBeNull();
    expect(writeExportView(readExportView(''))).toBe('');
  });

  it('ask only for options that the format has', () => {
    const base = `/v1/datasets/d/tags/t/export`;
    expect(makeExportUrl('d', 't', VIEW)).toBe(
      `${base}/LabelStudio/tasks?fileNameFormat=DATASOURCE_FULL&expiresIn=86400&includeMetaData=false`,
    );
    expect(makeExportUrl('d', 't', { ...VIEW, format: 'zip' })).toBe(`${base}/zip`);
    expect(makeExportUrl('d', 't', { ...VIEW, format: 'namesAndUrls' }, true)).toBe(
      `${base}/basic/filenamesAndReadUrls?previewExample=true`,
    );
    expect(makeExportUrl('d', 't', { ...VIEW, format: 'urls' })).toBe(
      `${base}/basic/filenames?format=PLAIN&fileNameFormat=REDIRECTED_READ_URL&expiresIn=86400`,
    );
    expect(makeExportUrl('d', 't', { ...VIEW, format: 'names', nameFormat: 'NAME' })).toBe(
      `${base}/basic/filenames?format=PLAIN`,
    );
  });

  it('have names for any file system', () => {
    expect(nameFile('../a b', 'Füße:1', 'names')).toBe('.._a_b-Füße_1.txt');
    expect(nameFile('a', 'b', 'sama')).toBe('a-b-sama.json');
  });

  it('show their first entry', () => {
    expect(formatPreview('[{"a":1},{"a":2}]', 'sama')).toBe('[\n  {\n    "a": 1\n  }\n]');
    expect(formatPreview('a.jpg', 'names')).toBe('a.jpg');
    expect([hasUrls('zip'), hasUrls('labelbox')]).toEqual([false, true]);
  });
});
