import { describe, expect, it } from 'vitest';
import { matchesKeys } from './keyboard';

const press = (key: string, held: Partial<KeyboardEventInit> = {}) =>
  new KeyboardEvent('keydown', { key, ...held });

describe('keys', () => {
  it.each([
    ['l', press('l'), true],
    ['l', press('L', { shiftKey: true }), false],
    ['Shift+S', press('S', { shiftKey: true }), true],
    ['Ctrl+A', press('a', { ctrlKey: true }), true],
    ['Ctrl+A', press('a', { metaKey: true }), true],
    ['Ctrl+A', press('A', { ctrlKey: true, shiftKey: true }), false],
    ['a', press('a', { altKey: true }), false],
    ['+', press('+', { shiftKey: true }), true],
    ['+', press('+'), true],
    ['/', press('/', { shiftKey: true }), true],
    ['Esc', press('Escape'), true],
    ['Space', press(' '), true],
  ])('%s', (keys, event, expected) => {
    expect(matchesKeys(event, keys)).toBe(expected);
  });
});
