/** The bytes of a topology file as text, or the reason why they are none. */
import { limits } from '../limits.ts';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';

const startOfFile = { line: 1, column: 1, length: 1 };
const lineFeed = 10;

/** Text without a byte order mark. */
export function decodeSourceText(
  bytes: Uint8Array,
  file: string,
): { text: string; problem?: undefined } | { text?: undefined; problem: Diagnostic } {
  const fail = (code: 'MACH1002' | 'MACH1003' | 'MACH1004', data = {}, span = startOfFile) => ({
    problem: makeDiagnostic(code, { file, span, data }),
  });
  if (bytes.length > limits.topologyFileBytesMax) {
    return fail('MACH1003', { bytes: bytes.length, max: limits.topologyFileBytesMax });
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return fail('MACH1002', { reason: 'it begins like UTF-16; save it as UTF-8' });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail('MACH1002', { reason: 'this character is not valid in UTF-8' }, findInvalidCharacter(bytes));
  }
  const control = findControlCharacter(text);
  if (control) return fail('MACH1002', { reason: `it holds the control character ${control.name}` }, control);
  if (text.trim() === '') return fail('MACH1004');
  return { text };
}

/** Invalid sequences never span a line feed, so the first line that does not decode has the place. */
function findInvalidCharacter(bytes: Uint8Array) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let start = 0;
  while (start <= bytes.length) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found === -1 ? bytes.length : found;
    const content = bytes.subarray(start, end);
    try {
      decoder.decode(content);
    } catch {
      const column = new TextDecoder('utf-8').decode(content).indexOf('\ufffd') + 1;
      return { line, column: Math.max(1, column), length: 1 };
    }
    line++;
    start = end + 1;
  }
  return startOfFile;
}

/** Besides tab, line feed and carriage return no control character is text; the noncharacters are used by the parser itself. */
function findControlCharacter(text: string) {
  const index = text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufdd0-\ufddf]/);
  if (index === -1) return undefined;
  const before = text.slice(0, index);
  const code = text.charCodeAt(index).toString(16).toUpperCase().padStart(4, '0');
  return { name: `U+${code}`, line: before.split('\n').length, column: index - before.lastIndexOf('\n'), length: 1 };
}
