/** Commands that people paste into a shell. */

/** A word as POSIX shells read it: as it is, whatever is in it. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Stands for a token that is not known here. */
export const PLACEHOLDER = 'YOUR_API_TOKEN';

/** The variables that clients read, as lines of a shell. */
export function writeEnvironment(server: string, token: string | null): string {
  const shown = token === null ? PLACEHOLDER : quoteWord(token);
  return `export LIGHTLY_SERVER_LOCATION=${quoteWord(server)}\nexport LIGHTLY_TOKEN=${shown}`;
}

/** What starts a worker. */
export function writeWorkerCommand(
  server: string,
  token: string | null,
  name: string,
  labels: readonly string[],
): string {
  const [, tokenLine] = writeEnvironment(server, token).split('\n');
  const parts = ['lightly worker', `--server ${quoteWord(server)}`];
  if (name) parts.push(`--name ${quoteWord(name)}`);
  if (labels.length) parts.push(`--labels ${quoteWord(labels.join(','))}`);
  return `${tokenLine}\n${parts.join(' ')}`;
}

/** What uploads a folder; `target` says into which dataset. */
export function writeUpload(
  server: string,
  token: string | null,
  folder: string,
  target: string,
): string {
  const input = quoteWord(`input_dir=${folder || '.'}`);
  return `${writeEnvironment(server, token)}\nlightly-upload ${input} ${target}`;
}
