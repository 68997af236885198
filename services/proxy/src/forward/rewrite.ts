/**
 * Answers that are changed on their way back: JSON messages, alone or as server-sent events. Only what has to change is written
 * anew; all else keeps its octets. What cannot be read is not passed on.
 */
import type { ServerResponse } from 'node:http';
import { Transform } from 'node:stream';

/** Answers with the message as the caller may see it: the same value where nothing changes. */
export type RewriteMessage = (message: unknown) => Promise<unknown>;

/** One JSON answer, or one event, at most. */
export const rewrittenBytesMax = 4_194_304;

export class Unrewritable extends Error {}

export type Rewriting =
  | {
      readonly outcome: 'rewriting';
      readonly headers: readonly string[];
      readonly through: Transform;
      /** Events come whenever they come: the head must not wait for the first. */
      readonly stream: boolean;
    }
  | { readonly outcome: 'refused'; readonly why: string };

/** Headers that speak of the octets as the API sent them. */
const ofTheOctets = new Set([
  'content-length',
  'etag',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
]);

export const rewriting = (status: number, raw: readonly string[], rewrite: RewriteMessage): Rewriting => {
  const headers: string[] = [];
  let type = '';
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? ''];
    if (name === 'content-encoding' && value.toLowerCase() !== 'identity')
      return { outcome: 'refused', why: 'The answer is encoded, so it cannot be read.' };
    if (name === 'content-type') type = (value.split(';', 1)[0] ?? '').trim().toLowerCase();
    if (!ofTheOctets.has(name)) headers.push(raw[at] ?? '', value);
  }
  const stream = type === 'text/event-stream';
  const through = stream ? events(rewrite) : type === 'application/json' ? wholeJson(rewrite) : other(status);
  return { outcome: 'rewriting', headers, through, stream };
};

/** Sends a changed answer on as fast as the caller takes it; answers with where the API's octets go in. */
export const sendRewritten = (
  { through, stream }: Extract<Rewriting, { outcome: 'rewriting' }>,
  res: ServerResponse,
  on: {
    /** The exchange is over: nothing of it is sent any more. */
    readonly over: () => boolean;
    readonly head: () => void;
    readonly end: () => void;
    readonly failed: (error: Error) => void;
  },
): Transform => {
  const head = (): void => {
    if (!on.over() && !res.headersSent) on.head();
  };
  if (stream) {
    head();
    res.flushHeaders();
  }
  through.on('data', (chunk: Buffer) => {
    if (on.over()) return;
    head();
    if (res.write(chunk)) return;
    through.pause();
    res.once('drain', () => through.resume());
  });
  through.once('end', () => {
    head();
    if (!on.over()) on.end();
  });
  through.once('error', on.failed);
  return through;
};

const rewritten = async (text: string, rewrite: RewriteMessage): Promise<string> => {
  const message: unknown = JSON.parse(text);
  const seen = Array.isArray(message) ? await Promise.all(message.map(rewrite)) : await rewrite(message);
  const same =
    Array.isArray(seen) && Array.isArray(message) ? seen.every((each, at) => each === message[at]) : seen === message;
  return same ? text : JSON.stringify(seen);
};

const wholeJson = (rewrite: RewriteMessage): Transform => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      chunks.push(chunk);
      done(bytes > rewrittenBytesMax ? new Unrewritable('The answer is too large to be read.') : null);
    },
    flush(done) {
      if (bytes === 0) return done();
      rewritten(Buffer.concat(chunks).toString(), rewrite).then(
        (text) => done(null, text),
        () => done(new Unrewritable('The answer is not the JSON that it says it is.')),
      );
    },
  });
};

/** Neither JSON nor events: a page of an error may pass, an answer may not. */
const other = (status: number): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (status >= 400) done(null, chunk);
      else done(new Unrewritable('The answer is neither JSON nor a stream of events.'));
    },
  });

/** WHATWG HTML §9.2: lines end in CR LF, LF or CR, an event ends with an empty line, and an unfinished one is not dispatched. */
const events = (rewrite: RewriteMessage): Transform => {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let lines: string[] = [];
  let held = 0;
  const event = async (): Promise<string> => {
    const data = lines.filter((line) => /^data(?::|$)/.test(line)).map((line) => line.replace(/^data:? ?/, ''));
    const others = lines.filter((line) => !/^data(?::|$)/.test(line));
    lines = [];
    held = 0;
    const text = data.join('\n');
    if (text.trim() === '') return [...others, ...data.map((each) => `data: ${each}`), '', ''].join('\n');
    const seen = await rewritten(text, rewrite);
    return [...others, ...seen.split('\n').map((each) => `data: ${each}`), '', ''].join('\n');
  };
  const take = async (text: string): Promise<string> => {
    rest += text;
    let out = '';
    for (;;) {
      // A CR at the very end may be half of a CR LF.
      const end = /\r\n|\n|\r(?!$)/.exec(rest);
      if (end === null) break;
      const line = rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
      held += line.length;
      if (line !== '') lines.push(line);
      else if (lines.length > 0) out += await event();
    }
    if (held + rest.length > rewrittenBytesMax) throw new Unrewritable('An event is too large to be read.');
    return out;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      take(decoder.decode(chunk, { stream: true })).then(
        (text) => (text === '' ? done() : done(null, text)),
        (error) => done(error instanceof Unrewritable ? error : new Unrewritable('An event is not JSON.')),
      );
    },
  });
};
