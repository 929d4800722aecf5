export type RunTone = 'good' | 'bad' | 'live' | 'quiet' | 'wait';

const ENDS: Record<string, RunTone> = {
  COMPLETED: 'good',
  FAILED: 'bad',
  CRASHED: 'bad',
  ABORTED: 'quiet',
};

export function isOver(state: string): boolean {
  return state in ENDS;
}

/** A state of a run in words: `COMPUTING_METADATA` is "Computing metadata". */
export function describeState(state: string): { label: string; tone: RunTone } {
  const words = state.toLowerCase().replaceAll('_', ' ');
  return { label: words.charAt(0).toUpperCase() + words.slice(1), tone: ENDS[state] ?? 'live' };
}

/** What the colours of states mean, in words. */
export const TONE_MEANINGS: Record<RunTone, string> = {
  good: 'done',
  bad: 'failed',
  live: 'under way',
  quiet: 'ended',
  wait: 'waiting',
};
