/** Everything that can be done with one sample on top of the grid, with its keys. */

import type { Command } from '../../lib/commands.svelte';
import { exploreStrings } from '../../strings/explore';

export interface SamplePage {
  close: () => void;
  step: (by: number) => void;
  toggle: () => void;
  hide: () => void;
  zoomBy: (factor: number) => void;
  reset: () => void;
  hasVideo: () => boolean;
  play: () => void;
  stepFrame: (by: number) => void;
}

const ZOOM_STEP = 1.4;

export function listSampleCommands(page: SamplePage): Command[] {
  const { groups, actions } = exploreStrings;
  const make = (
    id: keyof typeof actions,
    keys: string[],
    run: () => void,
    isPossible?: () => boolean,
  ): Command => ({ id, group: groups.sample, label: actions[id], keys, run, isPossible });
  return [
    make('back', ['Esc'], page.close),
    make('next', ['j', 'ArrowRight'], () => page.step(1)),
    make('previous', ['k', 'ArrowLeft'], () => page.step(-1)),
    make('toggle', ['x', 'Space'], page.toggle),
    make('hide', ['h'], page.hide),
    make('zoomIn', ['+', '='], () => page.zoomBy(ZOOM_STEP)),
    make('zoomOut', ['-'], () => page.zoomBy(1 / ZOOM_STEP)),
    make('zoomReset', ['0'], page.reset),
    make('play', ['p'], page.play, page.hasVideo),
    make('nextFrame', ['.'], () => page.stepFrame(1), page.hasVideo),
    make('previousFrame', [','], () => page.stepFrame(-1), page.hasVideo),
  ];
}
