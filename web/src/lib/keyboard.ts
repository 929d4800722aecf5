/** Whether keys go into a field just now: no shortcut is active then. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target || !('tagName' in target)) return false;
  if (target.closest('dialog[open]')) return true;
  if (target.isContentEditable || target.tagName === 'TEXTAREA' || target.tagName === 'SELECT')
    return true;
  if (target.tagName !== 'INPUT') return false;
  const { type } = target as HTMLInputElement;
  return !['checkbox', 'radio', 'range', 'button'].includes(type);
}

const NAMES: Record<string, string> = { Esc: 'Escape', Space: ' ' };
/** Signs that some keyboards have with Shift only. */
const isSign = (key: string) => key.length === 1 && !/[a-z0-9 ]/i.test(key);

/** Whether an event is of keys such as `Ctrl+Shift+Z`, `Esc`, `+` or `l`. */
export function matchesKeys(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split(/(?<=.)\+/);
  const name = parts.pop()!;
  const key = NAMES[name] ?? name;
  if (event.key.toLowerCase() !== key.toLowerCase()) return false;
  if ((event.ctrlKey || event.metaKey) !== parts.includes('Ctrl')) return false;
  if (event.altKey !== parts.includes('Alt')) return false;
  return isSign(key) || event.shiftKey === parts.includes('Shift');
}
