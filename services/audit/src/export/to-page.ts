/** index.html of a bundle: one file that opens from a disk, carries all others, and verifies them by itself. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const code = readFileSync(new URL('./generated/page.js.txt', import.meta.url), 'utf8');
const style = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#1a1a1a;background:#fff}
h1{font-size:1.3rem;margin:0 0 .5rem}h2{font-size:1rem;margin:1.5rem 0 .4rem}
#state{font-size:1.1rem;padding:.7rem 1rem;border-radius:6px;background:#eee}
#state.verified{background:#e2f4e5;color:#0b5a1d}#state.wrong{background:#fde4e1;color:#8c1208;font-weight:600}
table{border-collapse:collapse;font-size:13px}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top;white-space:nowrap;max-width:30rem;overflow:hidden;text-overflow:ellipsis}td details{white-space:pre-wrap;overflow-wrap:anywhere;width:28rem}
tr.wrong td{background:#fde4e1}pre{background:#f6f6f6;padding:.7rem;overflow:auto;font-size:12px}.scroll{overflow:auto}`;

const source = (text: string): string => `'sha256-${hash('sha256', text, 'base64')}'`;
const policy = `default-src 'none'; script-src ${source(code)}; style-src ${source(style)}; base-uri 'none'; form-action 'none'`;

export const toPage = (files: ReadonlyMap<string, Uint8Array>): string => {
  // Base64 in JSON: no character of it ends a script element.
  const carried = JSON.stringify(
    Object.fromEntries(Array.from(files, ([name, bytes]) => [name, Buffer.from(bytes).toString('base64')])),
  ).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width"><title>Postern evidence</title><style>${style}</style></head>
<body><h1 id="asked">Evidence</h1><p id="state" role="status">Being verified…</p><ul id="findings"></ul>
<h2>Rows</h2><div class="scroll"><table id="rows"></table></div><p id="more"></p>
<h2>What was asked</h2><pre id="query"></pre>
<h2>Signed heads</h2><div id="checkpoints"></div>
<h2>Keys that were believed</h2><p>They came with the bundle. Compare them with the keys that you kept from a time you trusted.</p><pre id="keys"></pre>
<script type="application/json" id="files">${carried}</script><script>${code}</script></body></html>
`;
};
