/** Texts in the query of an address, so that people can read it. */

/** Of a component, but for signs that are safe in a query and make it readable. */
export function encodeQueryText(text: string): string {
  return encodeURIComponent(text).replace(/%(3A|2C|3B|2F|7E|40)/g, (sign) =>
    decodeURIComponent(sign),
  );
}

/** Escapes signs that separate parts of a value; `unescapeSigns` turns it back. */
export function escapeSigns(text: string, signs: RegExp): string {
  return text.replace(signs, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function unescapeSigns(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A number of an address; null when it is none. */
export function readNumber(text: string | null | undefined): number | null {
  if (!text) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
