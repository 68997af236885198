/** A bundle as a file, judged: its parts as everywhere, and that its page is the one that belongs to them. */
import { type BundleVerdict, pageFile, verifyBundle } from '@postern/schemas/evidence';
import { unzipSync } from 'fflate';
import { toPage } from './to-page.ts';

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
  // To the byte: a page whose script was changed would say "verified" of anything.
  const page = toPage(new Map([...files].filter(([name]) => name !== pageFile)));
  if (Buffer.from(page).equals(files.get(pageFile) ?? new Uint8Array())) return verdict;
  const why = 'is not the page that this version writes for these files: do not believe what it shows';
  return { ...verdict, outcome: 'wrong', findings: [...verdict.findings, { file: pageFile, why }] };
};
