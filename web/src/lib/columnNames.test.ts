import { describe, expect, it } from 'vitest';
import { groupColumns, groupOf, nameColumn } from './columnNames';

describe('columns', () => {
  it.each([
    ['weather', 'weather', 'Metadata'],
    ['lightly.sharpness', 'sharpness', 'Measured'],
    ['lightly.prediction.cars', 'cars: class', 'Predictions'],
    ['lightly.confidence.cars', 'cars: confidence', 'Predictions'],
    ['lightly.objects.cars', 'cars: number of all', 'Predictions'],
    ['lightly.objects.cars.van v1.0', 'cars: number of van v1.0', 'Predictions'],
    ['lightly.score.cars.uncertainty', 'cars: uncertainty', 'Scores'],
    ['lightly.outliers', 'outlier score', 'Scores'],
    ['lightly.tagScore.v1.2.margin', 'v1.2: margin', 'Scores'],
  ])('%s is called %s', (key, name, group) => {
    expect(nameColumn(key)).toBe(name);
    expect(groupOf(key)).toBe(group);
  });

  it('are grouped, without empty groups', () => {
    const columns = ['lightly.a', 'b', 'lightly.score.t.x', 'c'].map((key) => ({ key }));

    expect(groupColumns(columns).map(([group, own]) => [group, own.map(({ key }) => key)])).toEqual(
      [
        ['Metadata', ['b', 'c']],
        ['Scores', ['lightly.score.t.x']],
        ['Measured', ['lightly.a']],
      ],
    );
  });
});
