/** The sheet of keys. */

/** Keys that are pressed together or each for itself, and what they do. */
type Shortcut = readonly [keys: readonly string[], what: string];

export const shortcuts: {
  title: string;
  groups: readonly (readonly [name: string, keys: readonly Shortcut[]])[];
} = {
  title: 'Keyboard',
  // prettier-ignore
  groups: [
    ['Everywhere', [
      [['?'], 'this sheet'],
      [['Ctrl', 'K'], 'command palette'],
      [['g', 'd'], 'datasets'],
      [['g', 'e'], 'explore'],
      [['g', 't'], 'tags'],
      [['g', 'a'], 'analyze'],
      [['g', 's'], 'select'],
      [['g', 'x'], 'export'],
      [['g', 'r'], 'runs'],
      [['g', 'w'], 'workers'],
      [['/'], 'search'],
    ]],
    ['Grid', [
      [['← ↑ → ↓'], 'move'],
      [['Home', 'End'], 'first, last'],
      [['PgUp', 'PgDn'], 'a screen'],
      [['Space', 'x'], 'select'],
      [['Shift', '+ arrows'], 'extend the selection'],
      [['Ctrl', 'A'], 'select all that match'],
      [['Ctrl', 'Shift', 'A'], 'select none'],
      [['i'], 'invert'],
      [['Enter'], 'open'],
      [['n'], 'near-duplicates as stacks'],
      [['e'], 'open or close a stack'],
      [['s'], 'sort by likeness to the focused one'],
      [['+', '-'], 'larger, smaller'],
    ]],
    ['Map', [
      [['l'], 'lasso'],
      [['b'], 'box'],
      [['Esc'], 'leave lasso and box'],
      [['Shift'], 'with lasso: add to the selection'],
      [['Alt'], 'with lasso: take from the selection'],
      [['c'], 'colour by'],
      [['[', ']'], 'one class of the legend after the other'],
      [['0'], 'show all'],
    ]],
    ['Explore', [
      [['f'], 'filters'],
      [['Backspace'], 'drop the filter that hides most'],
      [['t'], 'tag from selection, or of all that match'],
      [['Shift', 'T'], 'put the selection into a tag, or take it out'],
      [['o'], 'only the selection'],
      [['Shift', 'S'], 'sort by likeness to the selection'],
      [['v'], 'saved views'],
      [['1', '2', '3'], 'grid, both, map'],
      [['Ctrl', 'Z'], 'undo'],
      [['Ctrl', 'Shift', 'Z'], 'redo'],
      [['j', 'k'], 'in a sample: next, previous'],
      [['h'], 'in a sample, held: hide predictions'],
      [['p'], 'in a frame of a video: play it'],
      [[',', '.'], 'in a video: a frame back, on'],
    ]],
  ],
};
