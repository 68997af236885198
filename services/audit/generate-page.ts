/** Writes what runs in a bundle's index.html: `node services/audit/generate-page.ts`. A test compares it with what is checked in. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const pageCodeFile: string = fileURLToPath(new URL('./src/export/generated/page.js.txt', import.meta.url));

export const pageCode = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./src/export/page.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
  });
  // It stands inside a script element.
  return (outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
};

if (import.meta.main) writeFileSync(pageCodeFile, await pageCode());
