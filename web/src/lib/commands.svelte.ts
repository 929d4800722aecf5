/** What can be done on the open page, for its keys, the palette and the sheet of keys alike. */

import { matchesKeys } from './keyboard';

export interface Command {
  id: string;
  label: string;
  /** Where it belongs; a heading of the palette. */
  group: string;
  /** Each of them does it, such as `Ctrl+Shift+Z`. */
  keys?: readonly string[];
  /** Left out where it is always possible. */
  isPossible?: () => boolean;
  run: () => void;
}

type Source = () => Command[];

class Commands {
  private sources = $state.raw<readonly Source[]>([]);

  /** Adds what a page can do; the returned function takes it away again. */
  register(source: Source): () => void {
    this.sources = [...this.sources, source];
    return () => {
      this.sources = this.sources.filter((one) => one !== source);
    };
  }

  /** All that is possible just now, pages on top first. */
  list(): Command[] {
    return this.sources
      .toReversed()
      .flatMap((source) => source())
      .filter((command) => command.isPossible?.() ?? true);
  }
}

export const commands = new Commands();

/** Does what a key stands for; tells whether it stood for anything. */
export function runKey(event: KeyboardEvent, possible: readonly Command[]): boolean {
  const found = possible.find((command) => command.keys?.some((keys) => matchesKeys(event, keys)));
  if (!found || !(found.isPossible?.() ?? true)) return false;
  event.preventDefault();
  found.run();
  return true;
}
