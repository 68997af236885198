/** Lines of whatever recorded calls, told apart line by line: decisions, rows of the audit API around them, access logs. */
import { fromLogLine, fromLogObject } from './access-log.ts';
import { leftOut, type ReadUse, useOfDecision } from './use.ts';

const lineLengthMax = 65_536;
const outcomes: ReadonlySet<unknown> = new Set(['allow', 'deny', 'unavailable']);

/** Streams: a line is forgotten once it has been told. Every line that is not blank is told, as a use or as left out. */
export async function* readUses(lines: AsyncIterable<string>): AsyncGenerator<ReadUse> {
  let number = 0;
  for await (const each of lines) {
    number++;
    const line = number === 1 && each.startsWith('\uFEFF') ? each.slice(1) : each;
    if (line.trim() === '') continue;
    const read = fromLine(line);
    yield read.outcome === 'left-out' ? { ...read, example: exampleOf(line, number) } : read;
  }
}

export const fromLine = (line: string): ReadUse => {
  if (line.length > lineLengthMax) return leftOut(`longer than ${lineLengthMax} characters`);
  if (!line.startsWith('{')) return fromLogLine(line);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return leftOut('not JSON');
  }
  if (!isObject(value)) return leftOut('not JSON');
  const record = isObject(value['body']) ? value['body'] : value;
  return outcomes.has(record['outcome']) ? useOfDecision(record) : fromLogObject(value);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const exampleOf = (line: string, number: number): string => {
  const text = line.slice(0, 80).replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
  return `line ${number}: ${text}${line.length > 80 ? '…' : ''}`;
};
