/** What is known of runs, in the order and words of people. */

import type { components } from '../api/extension';

export type RunSummary = components['schemas']['RunSummary'];
export type WaitingRun = components['schemas']['WaitingRun'];

export interface LogEntry {
  ts: number;
  level: string;
  msg: string;
  state?: string;
}

/** States of work in their order, put together to what people care about. */
export const STAGES: { name: string; states: string[] }[] = [
  {
    name: 'Prepare',
    states: ['STARTED', 'INITIALIZING', 'LOADING_DATASET', 'LOADING_METADATA', 'LOADING_PREDICTION'],
  },
  { name: 'Examine', states: ['CHECKING_CORRUPTNESS', 'INITIALIZING_OBJECT_CROPS', 'COMPUTING_METADATA'] },
  {
    name: 'Embed',
    states: [
      'TRAINING',
      'EMBEDDING',
      'EMBEDDING_OBJECT_CROPS',
      'PRETAGGING',
      'COMPUTING_ACTIVE_LEARNING_SCORES',
    ],
  },
  { name: 'Select', states: ['SAMPLING', 'EMBEDDING_FULL_IMAGES'] },
  { name: 'Save', states: ['SAVING_RESULTS', 'UPLOADING_DATASET'] },
  {
    name: 'Report',
    states: [
      'GENERATING_REPORT',
      'UPLOADING_REPORT',
      'UPLOADED_REPORT',
      'UPLOADING_ARTIFACTS',
      'UPLOADED_ARTIFACTS',
    ],
  },
]; // prettier-ignore

/** The place of a state's stage; -1 of end states. */
export function findStage(state: string): number {
  return STAGES.findIndex((stage) => stage.states.includes(state));
}

export interface Failure {
  state: string | null;
  cause: string;
  remedy: string;
  /** Where the remedy is, below the dataset or the app. */
  place: 'source' | 'workers' | 'log' | null;
}

const REMEDIES: [RegExp, Omit<Failure, 'state' | 'cause'>][] = [
  [
    /fault of the worker/i,
    {
      remedy: 'Look at the end of the log; schedule it again once the cause is gone.',
      place: 'log',
    },
  ],
  [
    /memory|disk|no space/i,
    { remedy: 'Give the worker more room, or let it have fewer at once.', place: 'workers' },
  ],
  [
    /datasource|bucket|mount|credential|permission|access|denied|forbidden|not found|no such|cannot be (read|listed)/i,
    { remedy: 'Check where the images come from: the lights there say what works.', place: 'source' },
  ],
]; // prettier-ignore

const BY_STAGE: Record<number, Omit<Failure, 'state' | 'cause'>> = {
  0: { remedy: 'Check where the images come from: the lights there say what works.', place: 'source' },
  1: { remedy: 'Look at the warnings in the log: they name the files.', place: 'log' },
}; // prettier-ignore

/** Stage, cause and remedy of a run that did not end well. */
export function explainFailure(run: Pick<RunSummary, 'state' | 'message'>): Failure {
  const message = run.message ?? '';
  const found = /^In the state ([A-Z_]+): ([\s\S]*)$/.exec(message);
  const state = found?.[1] ?? null;
  const cause = found?.[2] ?? message;
  if (run.state === 'CRASHED') {
    return {
      state,
      cause: cause || 'The worker showed no sign of life any more.',
      remedy: 'See whether the worker runs, and whether it had enough memory; then schedule again.',
      place: 'workers',
    };
  }
  const matching = REMEDIES.find(([pattern]) => pattern.test(cause))?.[1];
  const byStage = state === null ? undefined : BY_STAGE[findStage(state)];
  const general = { remedy: 'The log says what went before.', place: 'log' } as const;
  return { state, cause, ...(matching ?? byStage ?? general) };
}

const EXTENSIONS = 'jpe?g|png|gif|bmp|tiff?|webp|mp4|mov|avi|mkv|webm';
const NAME = `\\S(?:.{0,300}?\\S)?\\.(?:${EXTENSIONS})`;
const END = '(?=[\\s:,.;]|$)';
/** Where names of files are in a line; names may have blanks where the words around them are ours. */
const NAMES = [
  `(?:the image|the video|frames of|objects of|looked for in) (${NAME})${END}`,
  `['"]([^'"]{1,300}\\.(?:${EXTENSIONS}))['"]`,
  `^(${NAME}): `,
  `(\\S{1,300}\\.(?:${EXTENSIONS}))${END}`,
].map((pattern) => new RegExp(pattern, 'i'));

export interface LogPiece {
  text: string;
  isName: boolean;
}

/** A line of a log in pieces: the first name of a file in it stands alone. */
export function splitLine(line: string): LogPiece[] {
  const found = NAMES.map((pattern) => pattern.exec(line)).find((one) => one !== null);
  if (!found) return [{ text: line, isName: false }];
  const name = found[1];
  const start = found.index + found[0].lastIndexOf(name);
  return [
    { text: line.slice(0, start), isName: false },
    { text: name, isName: true },
    { text: line.slice(start + name.length), isName: false },
  ].filter((piece) => piece.text);
}

/** Entries as known so far with newer ones; what came twice is there once. */
export function appendLog<Entry>(
  known: { end: number; entries: Entry[] },
  start: number,
  entries: Entry[],
  limit: number,
): { end: number; entries: Entry[] } {
  const fresh = known.entries.length ? entries.slice(Math.max(0, known.end - start)) : entries;
  return {
    end: Math.max(known.end, start + entries.length),
    entries: [...known.entries, ...fresh].slice(-limit),
  };
}

/** "4 s", "3 min 20 s", "2 h 5 min". */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Runs with a changed or new one, the newest first. */
export function upsertRun(runs: RunSummary[], run: RunSummary): RunSummary[] {
  const others = runs.filter((one) => one.id !== run.id);
  return [...others, run].sort((a, b) => (a.id < b.id ? 1 : -1));
}
