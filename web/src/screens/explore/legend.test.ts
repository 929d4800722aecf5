import { describe, expect, it } from 'vitest';
import { DEFAULT_VIEW, type ExploreView } from '../../lib/exploreUrl';
import { stepClass } from './legend';

const entry = (name: string, values = [name]) => ({ name, color: '#000000', values });
const LEGEND = {
  kind: 'category' as const,
  key: 'weather',
  entries: [entry('sun'), entry('2 others', ['rain', 'snow'])],
};

describe('going through the legend', () => {
  it('shows one class after the other, and all of them between last and first', () => {
    let view: ExploreView = DEFAULT_VIEW;
    const shown = [];
    for (let step = 0; step < 4; step++) {
      view = { ...view, ...stepClass(LEGEND, view, 1) };
      const [filter] = view.filters;
      shown.push(filter?.kind === 'values' ? filter.values.join() : 'all');
    }
    expect(shown).toEqual(['sun', 'rain,snow', 'all', 'sun']);
    expect({ ...view, ...stepClass(LEGEND, view, -1) }.filters).toEqual([]);
    expect(stepClass(LEGEND, DEFAULT_VIEW, -1).filters).toMatchObject([
      { values: ['rain', 'snow'] },
    ]);
  });

  it('changes nothing where there are no classes', () => {
    expect(stepClass({ kind: 'none' }, DEFAULT_VIEW, 1)).toEqual({});
  });
});
