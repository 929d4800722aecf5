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
