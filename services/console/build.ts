/** Builds the page where it is not built of these sources yet. */
import { buildPage } from './src/built-page.ts';

await buildPage({ info: (text: unknown) => process.stdout.write(`${String(text)}\n`) });
