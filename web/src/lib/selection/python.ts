/** Values of JSON as Python writes them. */

const WIDTH = 88;
const INDENT = '    ';

/** A value as a Python literal, over several lines where it is too long for one. */
export function writePython(value: unknown, indent = '', taken = 0): string {
  const short = writeOnOneLine(value);
  const isShort = indent.length + taken + short.length <= WIDTH;
  if (isShort || typeof value !== 'object' || value === null) return short;
  const inner = indent + INDENT;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const lines = Array.isArray(value)
    ? value.map((one) => `${inner}${writePython(one, inner, 1)},`)
    : Object.entries(value).map(([key, one]) => {
        const head = `${writeText(key)}: `;
        return `${inner}${head}${writePython(one, inner, head.length + 1)},`;
      });
  return lines.length ? `${open}\n${lines.join('\n')}\n${indent}${close}` : open + close;
}

function writeOnOneLine(value: unknown): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'string') return writeText(value);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(writeOnOneLine).join(', ')}]`;
  const pairs = Object.entries(value as object).map(
    ([key, one]) => `${writeText(key)}: ${writeOnOneLine(one)}`,
  );
  return `{${pairs.join(', ')}}`;
}

/** Of JSON's texts all are Python's too; what could hide the end of a line is written out. */
function writeText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A call over several lines, one argument each. */
export function writeCall(name: string, parameters: [string | null, unknown][]): string {
  const lines = parameters.map(([key, value]) => {
    const head = key === null ? '' : `${key}=`;
    return `${INDENT}${head}${writePython(value, INDENT, head.length + 1)},`;
  });
  return `${name}(\n${lines.join('\n')}\n)`;
}
