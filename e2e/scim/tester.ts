/** scim2-tester from PyPI, in an environment of its own under node_modules/.cache; made once. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { root } from '../world/embedded.ts';

const run = promisify(execFile);
const versions = ['scim2-tester==0.5.2', 'scim2-client[httpx2]==0.13.2', 'httpx2==2.16.2'];
const folder = join(root, 'node_modules/.cache/scim2');
const python = join(folder, 'bin/python');
const script = join(dirname(fileURLToPath(import.meta.url)), 'conformance.py');

export type Tester =
  | { readonly outcome: 'ready' }
  /** Nothing on this machine runs it; where POSTERN_REQUIRE_SCIM_TESTER is set that is a failure. */
  | { readonly outcome: 'missing'; readonly why: string };

export const findTester = async (): Promise<Tester> => {
  try {
    await access(python).catch(() => run('python3', ['-m', 'venv', folder], { timeout: 60_000 }));
    await run(python, ['-c', 'import scim2_tester, scim2_client.engines.httpx2']).catch(() =>
      run(python, ['-m', 'pip', 'install', '--quiet', ...versions], { timeout: 180_000 }),
    );
    return { outcome: 'ready' };
  } catch (error) {
    if (process.env['POSTERN_REQUIRE_SCIM_TESTER'] !== undefined) throw error;
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { outcome: 'missing', why: `scim2-tester needs Python 3.10 and PyPI: ${why}` };
  }
};

export const conformance = async (
  url: string,
  key: string,
): Promise<{ readonly passed: boolean; readonly output: string }> => {
  try {
    const { stdout } = await run(python, [script, url, key], { timeout: 300_000 });
    return { passed: true, output: stdout };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return { passed: false, output: `${stdout}${stderr}` };
  }
};
