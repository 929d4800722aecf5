/** Texts of the page of workers. */

export const workerTexts = {
  title: 'Workers',
  columns: { state: 'State', name: 'Name', version: 'Version', seen: 'Last seen' },
  states: { IDLE: 'Idle', BUSY: 'At work', OFFLINE: 'Offline', CRASHED: 'Crashed' },
  meanings: { IDLE: 'ready', BUSY: 'under way', OFFLINE: 'away', CRASHED: 'gone during work' },
  isDefault: 'default',
  now: 'now',
  version: (version: string) => `Version ${version}`,
  empty: 'No worker yet',
  emptyText:
    'The one in the server itself comes with your first run. More of them, on machines with more cores or nearer to the images, you start yourself.',
  add: 'Add a worker',
  delete: 'Delete',
  deleteTitle: 'Delete this worker?',
  deleteText: (name: string) =>
    `Runs that ${name} is working on end as aborted. A process that still runs under this name cannot go on.`,
  keep: 'Keep it',
  deleted: (name: string) => `Deleted ${name}.`,
  register: {
    title: 'Add a worker',
    lead: 'Run this on any machine that reaches this server. It registers itself when it starts.',
    name: 'Name',
    nameHint: 'At least three letters, digits, blanks, - or _.',
    labels: 'Labels',
    labelsHint: 'With commas. Runs can ask for workers that have certain labels, such as gpu.',
    token: 'Token',
    tokenHint: 'Tokens are stored as hashes, so none can be put in here that exists already.',
    makeToken: 'Make a token and fill it in',
    tokenName: (name: string) => `worker ${name}`,
    once: 'The token is in the command now. It is shown only this once.',
    command: 'Command',
    install:
      'The package has to be installed there: pip install lightly-platform. Images of a LOCAL datasource need --input-mount, too.',
    registerNow: 'Register without starting',
    registered: (name: string) => `${name} is registered; it is offline until it is started.`,
    waitsFor: 'It appears here as soon as it runs.',
    done: 'Done',
  },
} as const;
