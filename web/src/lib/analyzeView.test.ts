import { describe, expect, it } from 'vitest';
import { readAnalyzeView, writeAnalyzeView, type AnalyzeView } from './analyzeView';

describe('the address of an analysis', () => {
  it('holds all of it', () => {
    const view: AnalyzeView = {
      analysis: 'relation',
      a: 'x',
      b: 'y',
      filters: [{ kind: 'range', key: 'a:b', min: 1, max: null, isNegated: true }],
      x: 'lightly.sharpness',
      y: 'odd & key',
      color: 'weather',
      lasso: [
        [0, 1.5],
        [1e-7, 2],
        [-3, 0],
      ],
      part: 'onlyB',
    };
    expect(readAnalyzeView(writeAnalyzeView(view))).toEqual(view);
  });

  it('is empty as long as everything is as usual, and takes no nonsense', () => {
    expect(writeAnalyzeView(readAnalyzeView(''))).toBe('');
    expect(writeAnalyzeView(readAnalyzeView('view=x&lasso=1,2;3&part=c'))).toBe('');
  });
});
