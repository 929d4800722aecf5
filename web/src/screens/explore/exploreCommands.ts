/** Everything that can be done on the explore page, with its keys. */

import type { Tool } from '../../components/Plot.svelte';
import type { Command } from '../../lib/commands.svelte';
import type { Layout } from '../../lib/exploreUrl';
import { exploreStrings as strings } from '../../strings/explore';
import type { ExploreState } from './state.svelte';

/** What the page itself does. */
export interface ExplorePage {
  search: () => void;
  focusFilters: () => void;
  chooseColor: () => void;
  setTool: (tool: Tool) => void;
  setLayout: (layout: Layout) => void;
  resize: (by: number) => void;
  resetMap: () => void;
  makeTag: () => void;
  changeTag: () => void;
  stepClass: (by: 1 | -1) => void;
  hasClasses: () => boolean;
  openViews: () => void;
  findSimilar: (indices: number[]) => void;
  scoreOutliers: () => void;
  leave: () => void;
}

export function listCommands(explore: ExploreState, page: ExplorePage): Command[] {
  const { groups, actions } = strings;
  const hasSelection = () => explore.picked.size > 0;
  const hasSamples = () => explore.visibleCount > 0;
  const similarToSelected = () => page.findSimilar([...explore.selection.toIndices()]);
  const make = (
    group: string,
    id: keyof typeof actions,
    keys: string[],
    run: () => void,
    isPossible?: () => boolean,
  ): Command => ({ id, group, keys, label: actions[id], run, isPossible });
  return [
    make(groups.view, 'search', ['/'], page.search),
    make(groups.view, 'filters', ['f'], page.focusFilters),
    make(groups.view, 'grid', ['1'], () => page.setLayout('grid')),
    make(groups.view, 'split', ['2'], () => page.setLayout('split')),
    make(groups.view, 'plot', ['3'], () => page.setLayout('plot')),
    make(groups.view, 'larger', ['+', '='], () => page.resize(1)),
    make(groups.view, 'smaller', ['-'], () => page.resize(-1)),
    make(groups.view, 'views', ['v'], page.openViews),
    make(groups.view, 'showAll', [], () => explore.showAll()),
    make(
      groups.view,
      'dropPart',
      ['Backspace'],
      () => explore.dropPart(explore.hiding![0]),
      () => explore.hiding !== null,
    ),
    make(groups.view, 'stacks', ['n'], () => void explore.stacks.toggle()),
    make(
      groups.view,
      'openStack',
      ['e'],
      () => explore.openStack(explore.focus),
      () => explore.stacks.cells !== null && hasSamples(),
    ),
    make(groups.view, 'outliers', [], page.scoreOutliers, () => explore.map.embedding !== null),
    make(groups.map, 'lasso', ['l'], () => page.setTool('lasso')),
    make(groups.map, 'box', ['b'], () => page.setTool('box')),
    make(groups.map, 'color', ['c'], page.chooseColor),
    make(groups.map, 'nextClass', [']'], () => page.stepClass(1), page.hasClasses),
    make(groups.map, 'previousClass', ['['], () => page.stepClass(-1), page.hasClasses),
    make(groups.map, 'reset', ['0'], page.resetMap),
    make(groups.selection, 'selectAll', ['Ctrl+A'], () => explore.picked.selectAll()),
    make(groups.selection, 'selectNone', ['Ctrl+Shift+A'], () => explore.picked.selectNone()),
    make(groups.selection, 'invert', ['i'], () => explore.picked.invert()),
    make(
      groups.selection,
      'only',
      ['o'],
      () => explore.picked.showOnly(!explore.picked.isAlone),
      hasSelection,
    ),
    make(
      groups.view,
      'similar',
      ['s'],
      () => page.findSimilar([explore.indexAt(explore.focus)]),
      hasSamples,
    ),
    make(groups.view, 'similarToSelected', ['Shift+S'], similarToSelected, hasSelection),
    make(groups.selection, 'tag', ['t'], page.makeTag, hasSamples),
    make(groups.selection, 'changeTag', ['Shift+T'], page.changeTag, hasSelection),
    make(groups.selection, 'undo', ['Ctrl+Z'], () => explore.undo()),
    make(groups.selection, 'redo', ['Ctrl+Shift+Z'], () => explore.redo()),
    make(groups.selection, 'leave', ['Esc'], page.leave),
  ];
}
