/** A bundle as a file, judged: its parts as everywhere, and that its page carries the same. */
import { type BundleVerdict, pageFile, verifyBundle } from '@postern/schemas/evidence';
import { unzipSync } from 'fflate';

const refused = (why: string): BundleVerdict => ({
  outcome: 'wrong',
  findings: [{ file: 'the bundle', why }],
  rows: 0,
  entries: 0,
});

export const verifyBundleFile = async (zip: Uint8Array, trusted?: string): Promise<BundleVerdict> => {
  let files: Map<string, Uint8Array>;
  try {
    files = new Map(Object.entries(unzipSync(zip)));
  } catch (error) {
    return refused(`is no zip file that can be read: ${error instanceof Error ? error.message : error}`);
  }
  const verdict = await verifyBundle(files, trusted);
  const page = new TextDecoder().decode(files.get(pageFile));
  const carried = /<script type="application\/json" id="files">([^<]*)<\/script>/.exec(page)?.[1];
  const wanted = Object.fromEntries(
    Array.from(files, ([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]).filter(
      ([name]) => name !== pageFile,
    ),
  );
  const same = carried !== undefined && sorted(carried) === sorted(JSON.stringify(wanted));
  return same
    ? verdict
    : {
        ...verdict,
        outcome: 'wrong',
        findings: [...verdict.findings, { file: pageFile, why: 'does not carry the files that stand beside it' }],
      };
};

const sorted = (json: string): string => {
  try {
    return JSON.stringify(Object.entries(JSON.parse(json)).sort(([a], [b]) => (a < b ? -1 : 1)));
  } catch {
    return '';
  }
};
