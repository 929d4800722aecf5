import { describe, expect, it } from 'vitest';
import {
  countAll,
  countImages,
  drawDots,
  drawSteps,
  findFarthest,
  findPeak,
  fitFrame,
  listShares,
  type Categories,
  type Distribution,
  type TaskReport,
} from './report';

describe('reports', () => {
  it('draw histograms as shares of their set', () => {
    expect(drawSteps([1, 3], 0.75, 10, 20)).toBe('M0 20L0 13.33L5 13.33L5 0L10 0L10 20Z');
  });

  it('have one scale for all sets', () => {
    const metrics = { mean: 0, std: 0, min: 0, median: 0, max: 0 };
    const distribution: Distribution = {
      bins: 2,
      range: [0, 1],
      input: { counts: [2, 2], metrics },
      selected: { counts: [0, 1], metrics },
    };

    expect(findPeak(distribution)).toBe(1);
  });

  it('fit a map into a square without bending it', () => {
    const frame = fitFrame([[0, 0], [2, 1]], 100); // prettier-ignore

    const path = drawDots([[1, 0.5]], frame); // prettier-ignore
    expect(path).toBe('M50 50h0');
    expect(Number.isFinite(fitFrame([[3, 3]], 100).scale)).toBe(true); // prettier-ignore
  });

  it('list shares of categories, the most frequent first', () => {
    const metrics = { giniImbalance: 0, normalizedEntropy: 0 };
    const categories: Categories = {
      input: { counts: { sun: 3, rain: 1 }, metrics },
      selected: { counts: { rain: 1 }, metrics },
      random: { counts: {}, metrics },
    };

    expect(listShares(categories, 5)).toEqual([
      { name: 'sun', shares: { input: 0.75, selected: 0, random: 0 } },
      { name: 'rain', shares: { input: 0.25, selected: 1, random: 0 } },
    ]);
  });

  it('count images of a task by any of its classes', () => {
    const metrics = { mean: 0, std: 0, min: 0, median: 0, max: 0 };
    const nothing = { counts: {}, metrics: { giniImbalance: 0, normalizedEntropy: 0 } };
    const categories = { input: { ...nothing, counts: { cat: 3 } }, selected: nothing, random: nothing }; // prettier-ignore
    const counts = {
      bins: 2,
      range: [0, 1],
      input: { counts: [6, 4], metrics },
      selected: { counts: [1, 1], metrics },
    };
    const task: TaskReport = {
      taskType: 'OBJECT_DETECTION',
      categoryIdToName: { '0': 'cat' },
      activeLearningScoreDistributions: {},
      categoryDistribution: categories,
      categoryToCountsPerSample: { cat: counts },
    };

    expect(countImages(task)).toEqual({ input: 10, selected: 2, random: 0 });
    expect(countImages({ ...task, categoryToCountsPerSample: {} })).toBeNull();
    expect(countAll(categories)).toEqual({ input: 3, selected: 0, random: 0 });
    expect(listShares(categories, 5, countImages(task)!)).toEqual([
      { name: 'cat', shares: { input: 0.3, selected: 0, random: 0 } },
    ]);
  });

  it('say how far a balance is off', () => {
    const classes = [
      { name: 'sun', target: 0.5, input: 0.9, selected: 0.45 },
      { name: 'rain', target: 0.5, input: 0.1, selected: 0.55 },
    ];

    expect(findFarthest({ title: 'weather', classes })).toBeCloseTo(0.05);
    expect(findFarthest({ title: 'weather', classes: [] })).toBe(0);
  });
});
