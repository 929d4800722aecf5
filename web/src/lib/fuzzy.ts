/**
 * How well a label fits what was typed: higher is better, null for not at all.
 *
 * Every word that was typed must be in the label, at the start of a word, within one, or as its
 * letters in order where `isLoose`.
 */
export function rankLabel(typed: string, label: string, isLoose = true): number | null {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const text = label.toLowerCase();
  let total = 0;
  for (const word of words) {
    const rank = rankWord(word, text, isLoose);
    if (rank === null) return null;
    total += rank;
  }
  return total - text.length / 1_000;
}

function rankWord(word: string, text: string, isLoose: boolean): number | null {
  const place = text.indexOf(word);
  if (place === 0) return 4;
  if (place > 0) return /[a-z0-9]/.test(text[place - 1]) ? 2 : 3;
  if (!isLoose) return null;
  let at = -1;
  for (const letter of word) {
    at = text.indexOf(letter, at + 1);
    if (at < 0) return null;
  }
  return 1;
}

/** The best of some entries, the best first; all of them in their order while nothing is typed. */
export function findBest<Entry extends { label: string; group: string }>(
  entries: readonly Entry[],
  typed: string,
  limit: number,
): Entry[] {
  if (!typed.trim()) return entries.slice(0, limit);
  const ranked: { entry: Entry; rank: number; place: number }[] = [];
  for (const [place, entry] of entries.entries()) {
    const own = rankLabel(typed, entry.label);
    const rank = own ?? rankLabel(typed, `${entry.group} ${entry.label}`, false);
    if (rank !== null) ranked.push({ entry, rank: own === null ? rank - 1 : rank, place });
  }
  ranked.sort((a, b) => b.rank - a.rank || a.place - b.place);
  return ranked.slice(0, limit).map(({ entry }) => entry);
}
