/** Asks each target of a service whether it is well, again and again. */
import type { HealthCheck } from '@postern/schemas';
import type { Upstream } from './target.ts';

export type HealthChecks = {
  /** To be called often; asks whoever is due. */
  readonly look: (targets: readonly Upstream[], now: number) => void;
};

export const healthChecks = ({ path, everyMs, timeoutMs, unhealthyAfter, healthyAfter }: HealthCheck): HealthChecks => {
  type Course = { dueAt: number; inARow: number; asking: boolean };
  const courses = new WeakMap<Upstream['state'], Course>();

  const ask = async ({ pool, host, state }: Upstream, course: Course): Promise<void> => {
    course.asking = true;
    const over = AbortSignal.timeout(timeoutMs);
    let good = false;
    let why = '';
    try {
      const headers = ['Host', host, 'User-Agent', 'postern-health-check'];
      const status = await statusAt(pool, path, headers, over);
      good = status < 400;
      why = `it answers ${status} at ${path}`;
    } catch (error) {
      why = over.aborted
        ? `no answer at ${path} in ${timeoutMs} ms`
        : `no answer at ${path}: ${(error as Error).message}`;
    } finally {
      course.asking = false;
    }
    // In a row: as many that say the other thing as are needed to believe it.
    course.inARow = good === state.well ? 0 : course.inARow + 1;
    if (course.inARow < (good ? healthyAfter : unhealthyAfter)) return;
    course.inARow = 0;
    state.well = good;
    state.why = good ? undefined : why;
    state.standing = good ? 'in' : 'out';
    if (good) state.timesOut = 0;
  };

  return {
    look: (targets, now) => {
      for (const target of targets) {
        const course = courses.get(target.state) ?? { dueAt: now, inARow: 0, asking: false };
        courses.set(target.state, course);
        if (course.asking || now < course.dueAt) continue;
        course.dueAt = now + everyMs;
        void ask(target, course);
      }
    },
  };
};

/** The status of a whole answer; fails where none comes, or `over` first. */
const statusAt = (
  pool: Upstream['pool'],
  path: string,
  headers: readonly string[],
  over: AbortSignal,
): Promise<number> =>
  new Promise((resolve, reject) => {
    let answer = 0;
    const asked = pool.dispatch(
      { method: 'GET', path, headers, body: null },
      {
        sent: () => {},
        head: (status) => {
          answer = status;
        },
        data: () => {},
        ended: () => resolve(answer),
        failed: reject,
      },
    );
    over.addEventListener('abort', () => {
      asked.abort();
      reject(new Error('it takes too long'));
    });
  });
