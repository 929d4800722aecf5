import { readColumn, type Column } from '../lib/columnFormat';
import type { PartCounts } from '../lib/viewParts';
import { fetchBytes } from './client';
import type { components } from './extension';

export type ColumnInfo = components['schemas']['ColumnInfo'];
export type ColumnList = components['schemas']['ColumnList'];
export type SampleFilter = components['schemas']['SampleFilter'];
export type TagSummary = components['schemas']['TagSummary'];
export interface QueryTail {
  count: number;
  revision: number;
  histograms: Record<string, number[]>;
  /** Of each filter in its order, and of the tag. */
  filters: PartCounts[];
  tag?: PartCounts;
}

const base = (datasetId: string) => `/ext/v1/datasets/${datasetId}`;

export interface ColumnQuery {
  filters: SampleFilter[];
  tagId: string | null;
  /** Whether the samples outside of the tag are meant. */
  isTagNegated?: boolean;
  histograms: string[];
}

export async function queryColumns(
  datasetId: string,
  { filters, tagId, isTagNegated, histograms }: ColumnQuery,
  signal: AbortSignal,
): Promise<Column<QueryTail>> {
  const buffer = await fetchBytes(`${base(datasetId)}/columns/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ filters, histograms, ...(tagId ? { tagId, isTagNegated } : {}) }),
    signal,
  });
  return readColumn(buffer);
}

export async function fetchTagBits(datasetId: string, tagId: string, signal?: AbortSignal) {
  const buffer = await fetchBytes(`${base(datasetId)}/columns/tags/${tagId}`, { signal });
  return readColumn<{ count: number }>(buffer);
}

export async function fetchProjection(
  datasetId: string,
  embeddingId: string,
  projectionId: string,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
) {
  const path = `${base(datasetId)}/columns/embeddings/${embeddingId}/2d/${projectionId}`;
  const buffer = await fetchBytes(path, { signal }, onProgress);
  return readColumn<{ nPresent: number; bounds?: [number, number, number, number] }>(buffer);
}

/** Of each sample the first of its group of near-duplicates. */
export async function fetchNeighborhood(datasetId: string, id: string, signal: AbortSignal) {
  const path = `${base(datasetId)}/columns/neighborhoods/${id}`;
  return readColumn(await fetchBytes(path, { signal }));
}

export async function fetchMetadataColumn(
  datasetId: string,
  key: string,
  revision: number,
  signal: AbortSignal,
) {
  const name = key.split('/').map(encodeURIComponent).join('/');
  const path = `${base(datasetId)}/columns/metadata/${name}?revision=${revision}`;
  return readColumn<ColumnInfo>(await fetchBytes(path, { signal }));
}

export async function fetchOrder(
  datasetId: string,
  key: string | null,
  descending: boolean,
  revision: number,
  signal: AbortSignal,
): Promise<Uint32Array> {
  const query = new URLSearchParams({ revision: String(revision) });
  if (key !== null) query.set('sortKey', key);
  if (descending) query.set('direction', 'desc');
  const buffer = await fetchBytes(`${base(datasetId)}/columns/order?${query}`, { signal });
  return readColumn(buffer).values as Uint32Array;
}

/** Indices of samples, those most like some of them first, and how far the first ones are. */
export async function fetchSimilar(
  datasetId: string,
  embeddingId: string,
  sampleIds: readonly string[],
  signal: AbortSignal,
  limit?: number,
) {
  const path = `${base(datasetId)}/columns/embeddings/${embeddingId}/similar`;
  const buffer = await fetchBytes(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ sampleIds, limit }),
    signal,
  });
  const column = readColumn<{ nPresent: number; distances: number[] }>(buffer);
  return { order: column.values as Uint32Array, ...column.tail };
}

/** Indices of samples in the order in which a selection picked them. */
export async function fetchPicks(
  datasetId: string,
  tagId: string,
  signal: AbortSignal,
): Promise<Uint32Array> {
  const path = `${base(datasetId)}/tags/${tagId}/selectionReport/columns/picks`;
  // Each is a whole number of 64 bits, the lower half first; no index needs the upper one.
  const words = new Uint32Array(await fetchBytes(path, { signal }));
  return words.filter((_, place) => place % 2 === 0);
}

export function imageUrl(
  datasetId: string,
  sampleId: string,
  type: 'full' | 'thumbnail' | 'video',
): string {
  return `${base(datasetId)}/samples/${sampleId}/image?type=${type}`;
}
