/** Samples by what people and reports call them. */

import { v1 } from './client';

/** The sample of a file name; undefined where the dataset has none. */
export async function findSampleByName(datasetId: string, fileName: string, signal?: AbortSignal) {
  const { data } = await v1.GET('/v1/datasets/{datasetId}/samples', {
    params: { path: { datasetId }, query: { fileName, pageSize: 1 } },
    signal,
  });
  return data?.[0];
}
