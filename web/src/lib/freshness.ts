/** Pages that show by themselves what is new on the server. */

/** Shows what is new; false where somebody has to be asked first. */
export type Refresh = () => Promise<boolean>;

let current: Refresh | null = null;

/** Registers the page that is open; the returned function takes it away again. */
export function registerRefresh(refresh: Refresh): () => void {
  current = refresh;
  return () => {
    if (current === refresh) current = null;
  };
}

/** Whether the open page shows by itself what is new. */
export function canRefresh(): boolean {
  return current !== null;
}

/** Lets the open page show what is new; false if it did not, or could not. */
export async function refreshPage(): Promise<boolean> {
  try {
    return (await current?.()) ?? false;
  } catch {
    return false;
  }
}

/**
 * Follows something that goes on changing, one step after the other.
 *
 * `isBehind` tells whether there is anything to do, `step` does it and returns false where that
 * was not possible; the next `follow` tries again.
 */
export class Follower {
  private isRunning = false;

  constructor(
    private readonly isBehind: () => boolean,
    private readonly step: () => Promise<boolean>,
    private readonly wait: () => Promise<void>,
  ) {}

  async follow(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      while (this.isBehind() && (await this.step())) await this.wait();
    } finally {
      this.isRunning = false;
    }
  }
}
