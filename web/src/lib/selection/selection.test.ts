import { describe, expect, it } from 'vitest';
import { Bitset } from '../bitset';
import {
  countWanted,
  findKept,
  findLosses,
  makeFilter,
  makeMix,
  nextDown,
  nextUp,
} from './preview';
import { writeCall, writePython } from './python';
import { makeServerRequest, makeWorkerRequest, toSnakeCase, writePythonProgram } from './request';
import { findGap, isAuto, makeRule, needsVectors, type Rule } from './rules';
import { DEFAULT_SELECT_VIEW, readSelectView, writeSelectView, type SelectView } from './view';

const ID = 'a'.repeat(24);
const view = (part: Partial<SelectView>): SelectView => ({ ...DEFAULT_SELECT_VIEW, ...part });

describe('the address of a selection', () => {
  const rules: Rule[] = [
    makeRule('diversity', { minDistance: 0.25, strength: -2 }),
    makeRule('weights', { source: 'score', key: 'a;b~c=d,e:f%', maxSum: 3, minSum: 1 }),
    makeRule('threshold', { key: 'lightly.sharpness', operation: 'SMALLER_EQUAL', value: -1e-7 }),
    makeRule('balance', {
      key: 'weather',
      distribution: 'TARGET',
      target: { 'rain:heavy, cold': 0.25, sun: 0.75 },
    }),
    makeRule('weights', { source: 'predictions', task: 'cars', categories: ['a,b', 'c'] }),
    makeRule('similarity', { tag: ID }),
    makeRule('typicality', { neighbors: 7, minTypicality: 0.5 }),
    makeRule('random', { seed: -3 }),
  ];

  it('holds all of it, whatever signs names have', () => {
    const all = view({
      rules,
      amount: { kind: 'share', value: 0.07 },
      from: ID,
      preselected: ID,
      embedding: ID,
      name: 'a name & more',
      where: 'worker',
      processAll: false,
      useDatapool: true,
      labels: ['gpu', 'big'],
      priority: 'HIGH',
      job: ID,
    });
    expect(readSelectView(writeSelectView(all))).toEqual(all);
  });

  it('is empty as long as everything is as usual', () => {
    expect(writeSelectView(DEFAULT_SELECT_VIEW)).toBe('');
    expect(readSelectView('')).toEqual(DEFAULT_SELECT_VIEW);
  });

  it('leaves out what makes no sense instead of failing', () => {
    const read = readSelectView('r=nothing;x=1~diversity;min=abc;op=WORSE&n=-4&from=../x&job=1');
    expect(read.rules).toEqual([makeRule('diversity')]);
    expect(read.amount).toEqual(DEFAULT_SELECT_VIEW.amount);
    expect([read.from, read.job]).toEqual([null, null]);
  });

  it('keeps a share exact', () => {
    const share = view({ amount: { kind: 'share', value: 0.29 } });
    expect(writeSelectView(share)).toContain('n=29%25');
    expect(readSelectView(writeSelectView(share)).amount).toEqual({ kind: 'share', value: 0.29 });
  });
});

describe('the request of a selection', () => {
  it('leaves it to the server where no rule says what to aim at', () => {
    const threshold = makeRule('threshold', { key: 'speed', value: 3 });
    expect(isAuto([threshold])).toBe(true);
    expect(makeServerRequest(view({ name: ' best ', rules: [threshold] }))).toEqual({
      nSamples: 100,
      newTagName: 'best',
      strategies: [
        { type: 'AUTO' },
        { type: 'THRESHOLD', metadataKey: 'speed', threshold: 3, operation: 'BIGGER' },
      ],
    });
  });

  it('has only what was set', () => {
    const made = makeServerRequest(
      view({
        name: 'mix',
        preselected: ID,
        amount: { kind: 'all' },
        rules: [
          makeRule('diversity', { minDistance: 0 }),
          makeRule('balance', { key: 'weather', distribution: 'TARGET', target: { sun: 1 } }),
          makeRule('balance', { key: 'road', target: { left: 1 } }),
          makeRule('weights', { source: 'score', key: 'entropy', strength: 0 }),
        ],
      }),
    );
    expect(made).toEqual({
      nSamples: -1,
      preselectedTagId: ID,
      newTagName: 'mix',
      strategies: [
        { type: 'DIVERSITY', minDistance: 0 },
        {
          type: 'BALANCE',
          metadataKey: 'weather',
          distribution: 'TARGET',
          target: { sun: 1 },
        },
        { type: 'BALANCE', metadataKey: 'road', distribution: 'UNIFORM' },
        { type: 'WEIGHTS', scoreType: 'entropy', strength: 0 },
      ],
    });
  });

  it('of a worker has inputs and strategies in pairs', () => {
    const made = makeWorkerRequest(
      view({
        where: 'worker',
        rules: [
          makeRule('balance', { source: 'predictions', task: 'cars' }),
          makeRule('similarity', { tag: ID }),
        ],
      }),
      ID,
      new Map([[ID, 'queries']]),
    );
    expect(made.config.config).toEqual({
      workerType: 'FULL',
      docker: { datasource: { processAll: true } },
      selection: {
        nSamples: 100,
        strategies: [
          {
            input: { type: 'PREDICTIONS', task: 'cars', name: 'CLASS_DISTRIBUTION' },
            strategy: { type: 'BALANCE', distribution: 'UNIFORM' },
          },
          {
            input: { type: 'EMBEDDINGS', datasetId: ID, tagName: 'queries' },
            strategy: { type: 'SIMILARITY' },
          },
        ],
      },
    });
  });

  it('spells options as Python does and leaves classes alone', () => {
    expect(toSnakeCase({ nSamples: 1, target: { redCar: 1 }, list: [{ randomSeed: 2 }] })).toEqual({
      n_samples: 1,
      target: { redCar: 1 },
      list: [{ random_seed: 2 }],
    });
  });

  it('is a call in Python', () => {
    const text = writePythonProgram(view({ name: 'ten', rules: [] }), ID, new Map());
    expect(text).toBe(`from lightly.api import ApiWorkflowClient

client = ApiWorkflowClient(dataset_id="${ID}")
tag = client.create_selection(
    "ten",
    n_samples=100,
    strategies=[{"type": "AUTO"}],
)
`);
  });
});

describe('values in Python', () => {
  it('are literals that no text can leave', () => {
    expect(writePython({ a: [true, false, null, 1.5, 'x"\n\u2028'] })).toBe(
      '{"a": [True, False, None, 1.5, "x\\"\\n\\u2028"]}',
    );
  });

  it('take several lines where they are long', () => {
    const lines = writeCall('f', [['x', Array(12).fill('0123456789')]]).split('\n');
    expect(lines).toHaveLength(16);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(88);
  });
});

describe('counting before it runs', () => {
  it('moves the end of a range by the smallest step there is', () => {
    for (const value of [1, -1, 0.1, 1e300, -5e-324, 123456789]) {
      expect(nextUp(value)).toBeGreaterThan(value);
      expect(nextDown(nextUp(value))).toBe(value);
    }
    expect(nextUp(0)).toBe(Number.MIN_VALUE);
    expect(nextUp(1)).toBe(1 + Number.EPSILON);
  });

  it('asks for what a threshold keeps', () => {
    const rule = makeRule('threshold', { key: 'speed', value: 1 });
    expect(makeFilter(rule)?.min).toBe(1 + Number.EPSILON);
    expect(makeFilter({ ...rule, operation: 'SMALLER_EQUAL' })).toMatchObject({ max: 1 });
    expect(makeFilter({ ...rule, value: null })).toBeNull();
    expect(makeFilter({ ...rule, source: 'score' })).toBeNull();
  });

  it('keeps no sample without a score', () => {
    const scores = Float32Array.of(0.1, NaN, 0.5, 0.9);
    expect([...findKept(scores, 'BIGGER_EQUAL', 0.5).toIndices()]).toEqual([2, 3]);
    expect([...findKept(scores, 'BIGGER', 0.1).toIndices()]).toEqual([2, 3]);
    expect([...findKept(scores, 'SMALLER', 0.5).toIndices()]).toEqual([0]);
    expect(findKept(scores, 'SMALLER_EQUAL', 2)).toEqual(Bitset.of(4, [0, 2, 3]));
  });

  it('names the classes that a threshold hits hardest', () => {
    const categories = ['night', 'day', 'rare'].map((name) => ({ name, count: 1 }));
    const columns = [{ key: 'light', kind: 'category' as const, nPresent: 3, categories }];
    const losses = findLosses(columns, { light: [100, 100, 2] }, { light: [58, 95, 0] }, 0.2);
    expect(losses).toEqual([{ key: 'light', name: 'night', total: 100, dropped: 42, share: 0.42 }]);
  });

  it('tells where there are too few samples for a mix', () => {
    const rule = makeRule('balance', { key: 'light' });
    const mix = makeMix(['day', 'night', 'gone'], [90, 10, 0], rule, 40);
    expect(mix.map((row) => [row.name, row.wantShare, row.isShort])).toEqual([
      ['day', 0.5, false],
      ['night', 0.5, true],
    ]);
    const target = { ...rule, distribution: 'TARGET' as const, target: { night: 3, gone: 1 } };
    expect(makeMix(['day', 'night', 'gone'], [90, 10, 0], target, 8)[1].wantShare).toBe(0.75);
  });

  it('counts shares as exactly as the server', () => {
    expect(countWanted({ kind: 'share', value: 0.1 }, 10)).toBe(1);
    expect(countWanted({ kind: 'share', value: 0.29 }, 100)).toBe(29);
    expect(countWanted({ kind: 'share', value: 0.001 }, 10)).toBe(1);
    expect(countWanted({ kind: 'share', value: 0 }, 10)).toBe(0);
    expect(countWanted({ kind: 'all' }, 10)).toBeNull();
  });
});

describe('what is missing in a rule', () => {
  it('is found', () => {
    expect(findGap(makeRule('diversity'))).toBeNull();
    expect(findGap(makeRule('weights'))).toBe('key');
    expect(findGap(makeRule('weights', { source: 'predictions' }))).toBe('task');
    expect(findGap(makeRule('threshold', { key: 'a' }))).toBe('value');
    expect(findGap(makeRule('similarity'))).toBe('tag');
    expect(findGap(makeRule('balance', { key: 'a', distribution: 'TARGET' }))).toBe('target');
  });

  it('includes vectors where distances are measured', () => {
    expect(needsVectors([])).toBe(true);
    expect(needsVectors([makeRule('random')])).toBe(false);
    expect(needsVectors([makeRule('random'), makeRule('typicality')])).toBe(true);
  });
});
