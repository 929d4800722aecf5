/** What several pages read of the server, each under the one key that they share. */

import { queryOptions } from '@tanstack/svelte-query';
import { ext, v1 } from './client';

export const datasetQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['dataset', datasetId],
    queryFn: async ({ signal }) => {
      const params = { path: { datasetId } };
      return (await v1.GET('/v1/datasets/{datasetId}', { params, signal })).data!;
    },
  });

/** Values are collected in the background after samples have come. */
const COLLECTING_MS = 1_000;

export const columnsQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['columns', datasetId],
    queryFn: async ({ signal }) => {
      const params = { path: { datasetId } };
      return (await ext.GET('/ext/v1/datasets/{datasetId}/columns', { params, signal })).data!;
    },
    refetchInterval: (query) => (query.state.data?.state === 'COLLECTING' ? COLLECTING_MS : false),
  });

export const tagsQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['tags', datasetId],
    queryFn: async ({ signal }) => {
      const params = { path: { datasetId } };
      return (await ext.GET('/ext/v1/datasets/{datasetId}/tags', { params, signal })).data!;
    },
  });

export const datasourcesQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['datasources', datasetId],
    queryFn: async ({ signal }) => {
      const params = { path: { datasetId } };
      const path = '/v1/datasets/{datasetId}/datasource/all';
      return (await v1.GET(path, { params, signal })).data!;
    },
  });

/** Trying a datasource writes to it, so it is not done at each visit. */
export const datasourceHealthQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['datasource-health', datasetId],
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const params = { path: { datasetId } };
      const path = '/v1/datasets/{datasetId}/datasource/verify';
      return (await v1.GET(path, { params, signal })).data!;
    },
  });

export const predictionTasksQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['prediction-tasks', datasetId],
    queryFn: async ({ signal }) => {
      const params = { path: { datasetId } };
      const path = '/v1/datasets/{datasetId}/predictions/tasks';
      return (await v1.GET(path, { params, signal })).data!;
    },
  });

export const ownTeamsQuery = () =>
  queryOptions({
    queryKey: ['own-teams'],
    queryFn: async ({ signal }) => (await ext.GET('/ext/v1/account/teams', { signal })).data!,
  });
