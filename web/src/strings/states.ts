/** Texts of states that every page can be in. */

export const states = {
  offline: 'No connection to the server. What you see may be old; it goes on by itself.',
  changed: (what: string) => `This dataset has changed on the server: ${what}.`,
  newSamples: (count: string) => `${count} samples now`,
  newValues: 'new values',
  newMap: 'another map',
  reload: 'Show it',
  dismiss: 'Not now',
  jobFailed: 'The server could not finish this.',
} as const;
