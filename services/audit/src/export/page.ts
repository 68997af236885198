/**
 * What runs in a bundle's index.html: reads the files that the page carries, verifies them, and shows the rows. Everything that is
 * shown goes in as text; the page's own policy lets no other script run, and nothing be fetched.
 */
import { type BundleFiles, bundleTexts, pageFile, verifyBundle, withTexts } from '@postern/schemas/evidence';
import { fromBase64 } from '@postern/schemas/tlog';

type Part = { textContent: string | null; className: string; append: (...parts: readonly Part[]) => void };
declare const document: {
  readonly getElementById: (id: string) => Part | null;
  readonly createElement: (name: string) => Part;
};

const part = (name: string, text: string, className = ''): Part => {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
};
const at = (id: string): Part => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
};

const rowsShownMax = 5_000;

const shown = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** What a row was made from is folded away. */
const cell = (value: unknown): Part => {
  const made = part('td', '');
  if (typeof value !== 'object' || value === null) made.textContent = shown(value);
  else {
    const folded = part('details', '');
    folded.append(part('summary', 'show'), part('span', JSON.stringify(value, undefined, 1)));
    made.append(folded);
  }
  return made;
};

const show = async (): Promise<void> => {
  const carried = JSON.parse(at('files').textContent ?? '{}') as Readonly<Record<string, string>>;
  const files: BundleFiles = new Map(
    Object.entries(carried).map(([name, text]) => [name, fromBase64(text) ?? new Uint8Array()]),
  );
  const verdict = await verifyBundle(files);
  const state = at('state');
  state.className = verdict.outcome;
  state.textContent =
    verdict.outcome === 'verified'
      ? `Verified: ${verdict.rows} rows, ${verdict.entries} entries proven`
      : `NOT verified: ${verdict.findings.length} ${verdict.findings.length === 1 ? 'thing is' : 'things are'} wrong`;
  for (const { row, file, why } of verdict.findings.slice(0, 200))
    at('findings').append(part('li', `${row === undefined ? file : `row ${row}`}: ${why}`));

  const read = (name: string): string => new TextDecoder().decode(files.get(name));
  at('keys').textContent = read('vkeys.txt');
  let query: Readonly<Record<string, unknown>> = {};
  try {
    query = JSON.parse(read('query.json'));
  } catch {}
  at('asked').textContent = shown(query['asks'] ?? query['kind']);
  const { rowHashes, ...said } = query;
  at('query').textContent = JSON.stringify(said, undefined, 2);
  for (const log of ['facts', 'decisions']) {
    const note = files.get(`checkpoint/${log}`);
    if (note !== undefined) at('checkpoints').append(part('pre', new TextDecoder().decode(note)));
  }

  const texts = bundleTexts(files);
  const rows = read('rows.ndjson')
    .split('\n')
    .filter(Boolean)
    .map((line): Readonly<Record<string, unknown>> => {
      try {
        return withTexts(JSON.parse(line), texts);
      } catch {
        return { unreadable: line };
      }
    });
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const wrongRows = new Map(verdict.findings.map(({ row, why }) => [row, why]));
  const head = part('tr', '');
  head.append(part('th', '#'), ...columns.map((name) => part('th', name)));
  const table = at('rows');
  table.append(head);
  for (const [index, row] of rows.slice(0, rowsShownMax).entries()) {
    const line = part('tr', '', wrongRows.has(index + 1) ? 'wrong' : '');
    line.append(part('td', `${index + 1}`), ...columns.map((name) => cell(row[name])));
    table.append(line);
  }
  if (rows.length > rowsShownMax) at('more').textContent = `${rows.length - rowsShownMax} more rows: rows.ndjson`;
};

show().catch((error: unknown) => {
  const state = at('state');
  state.className = 'wrong';
  state.textContent = `NOT verified: ${pageFile} cannot be read (${error instanceof Error ? error.message : error})`;
});
