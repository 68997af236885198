/** Loaded into a process under load (`--import`): writes down what memory it holds, one JSON line a sample, the heap right after a collection. */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const file = process.env['POSTERN_MEMORY_FILE'];
const everyMs = Number(process.env['POSTERN_MEMORY_EVERY_MS'] ?? 5_000);

if (isMainThread && file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setInterval(() => {
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    appendFileSync(file, `${JSON.stringify({ at: performance.now(), rss, heapUsed, external })}\n`);
  }, everyMs).unref();
}
