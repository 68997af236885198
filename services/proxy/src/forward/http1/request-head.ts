/** The head of a request as it goes to an API (RFC 9112 §3): one line for each header, and no line that a value has brought along. */

export class Unsendable extends Error {}

/** What node would cut to its low byte on its way out, so that U+010A became a line's end. It is never there in text of one byte a character. */
const wide = /[^\0-\xff]/;

/**
 * `headers`: name and value by turns. Every value was read by a parser or made here, so none should hold a line's end; this is where one that
 * does goes no further. Throws `Unsendable`.
 */
export const requestHead = (method: string, path: string, headers: readonly string[], framing: string): string => {
  let text = `${method} ${path} HTTP/1.1\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  text += `${framing}\r\n`;
  const lines = headers.length / 2 + (framing === '' ? 2 : 3);
  if (times(text, '\n') !== lines || times(text, '\r') !== lines || text.includes('\0') || wide.test(text))
    throw new Unsendable('a header holds what would end its line');
  return text;
};

const times = (text: string, character: string): number => {
  let found = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) found++;
  return found;
};
