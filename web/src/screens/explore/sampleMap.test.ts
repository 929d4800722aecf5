import { expect, it, vi } from 'vitest';
import { DEFAULT_VIEW } from '../../lib/exploreUrl';
import { MAX_UNASKED, SampleMap } from './sampleMap.svelte';

vi.mock('../../api/columns', () => ({
  fetchProjection: async () => ({ values: new Float32Array(4), count: 2, tail: {} }),
}));

function makeMap(count: number): SampleMap {
  const { signal } = new AbortController();
  const map = new SampleMap(
    'dataset',
    () => DEFAULT_VIEW,
    () => count,
    signal,
    () => {},
  );
  map.embeddings = [{ id: 'e', name: 'default', projections: [{ id: 'p', method: 'UMAP' }] }];
  return map;
}

it('brings very many points only when somebody asks for all of them', async () => {
  const map = makeMap(2 * MAX_UNASKED);
  await map.loadPoints();
  expect(map.heldBytes).toBe(16 * MAX_UNASKED);
  expect(map.xs).toBeNull();

  await map.loadAll();
  expect(map.heldBytes).toBeNull();
  expect(map.xs).toHaveLength(2);
});

it('brings others at once', async () => {
  const map = makeMap(MAX_UNASKED);
  await map.loadPoints();
  expect(map.heldBytes).toBeNull();
  expect(map.xs).toHaveLength(2);
});
