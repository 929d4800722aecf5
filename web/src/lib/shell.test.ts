import { describe, expect, it } from 'vitest';
import { quoteWord, writeEnvironment, writeWorkerCommand } from './shell';

describe('commands', () => {
  it.each([
    ['plain-word', 'plain-word'],
    ['two words', "'two words'"],
    ["it's; rm -rf $HOME", "'it'\\''s; rm -rf $HOME'"],
    ['', "''"],
  ])('%s is one word', (word, quoted) => {
    expect(quoteWord(word)).toBe(quoted);
  });

  it('have a place for a token that is not known', () => {
    expect(writeEnvironment('http://x:1', null)).toContain('YOUR_API_TOKEN');
    expect(writeEnvironment('http://x:1', 'abc')).toBe(
      'export LIGHTLY_SERVER_LOCATION=http://x:1\nexport LIGHTLY_TOKEN=abc',
    );
  });

  it('start a worker with its labels', () => {
    expect(writeWorkerCommand('http://x:1', 'abc', 'my worker', ['gpu', 'eu west'])).toBe(
      "export LIGHTLY_TOKEN=abc\nlightly worker --server http://x:1 --name 'my worker' --labels 'gpu,eu west'",
    );
  });
});
