import { describe, expect, it } from 'vitest';
import { writeAddress } from './live.svelte';
import { appendLog, explainFailure, findStage, formatDuration, splitLine, upsertRun } from './runs';
import type { RunSummary } from './runs';

describe('failures', () => {
  it('name stage, cause and where to look', () => {
    const failure = explainFailure({
      state: 'FAILED',
      message: 'In the state LOADING_DATASET: The bucket cannot be listed.',
    });

    expect(failure).toMatchObject({
      state: 'LOADING_DATASET',
      cause: 'The bucket cannot be listed.',
      place: 'source',
    });
  });

  it('of workers that vanish lead to the workers', () => {
    expect(explainFailure({ state: 'CRASHED', message: undefined }).place).toBe('workers');
  });

  it('that nobody knows lead to the log', () => {
    expect(explainFailure({ state: 'FAILED', message: 'odd' })).toMatchObject({
      cause: 'odd',
      place: 'log',
    });
  });
});

describe('lines of a log', () => {
  it.each([
    ['The image a b/c d.jpg is left out: cut off', 'a b/c d.jpg'],
    ['No objects are looked for in x/y.png: gone', 'x/y.png'],
    ["cannot read 'odd name.jpeg' today", 'odd name.jpeg'],
    ['Read clips/one.mp4.', 'clips/one.mp4'],
  ])('%s speaks of %s', (line, name) => {
    const pieces = splitLine(line);

    expect(pieces.find((piece) => piece.isName)?.text).toBe(name);
    expect(pieces.map((piece) => piece.text).join('')).toBe(line);
  });

  it('without a name are one piece', () => {
    expect(splitLine('The input has 3 files.')).toEqual([
      { text: 'The input has 3 files.', isName: false },
    ]);
  });
});

it('a log grows without doubling what came twice', () => {
  const first = appendLog({ end: 0, entries: [] as string[] }, 5, ['a', 'b'], 10);
  const second = appendLog(first, 6, ['b', 'c'], 10);

  expect(second).toEqual({ end: 8, entries: ['a', 'b', 'c'] });
  expect(appendLog(second, 8, ['d'], 2).entries).toEqual(['c', 'd']);
});

it('durations are short', () => {
  expect([4_500, 200_000, 7_500_000].map(formatDuration)).toEqual([
    '4 s',
    '3 min 20 s',
    '2 h 5 min',
  ]);
});

it('a run that changes stays in its place', () => {
  const runs = ['c', 'b', 'a'].map((id) => ({ id, state: 'STARTED' }) as RunSummary);
  const changed = upsertRun(runs, { ...runs[1], state: 'COMPLETED' });

  expect(changed.map((run) => `${run.id} ${run.state}`)).toEqual([
    'c STARTED',
    'b COMPLETED',
    'a STARTED',
  ]);
});

it('states have a stage', () => {
  expect([findStage('EMBEDDING'), findStage('FAILED')]).toEqual([2, -1]);
});

it('a page has one address for all that it watches', () => {
  expect(writeAddress([])).toBe(null);
  expect(writeAddress([{ runs: true }, { datasetId: 'x' }])).toBe(
    '/ext/v1/events?runs=true&datasetId=x',
  );
});
