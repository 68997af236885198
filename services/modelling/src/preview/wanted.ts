/** `wanted.yaml`: the flips that somebody means, a line each: `user:ann GET /payroll/employees` or `role:hr-reader payroll/list`. */
import { Method, readTarget, routeMatcher, type Service } from '@postern/schemas';
import { z } from 'zod';
import type { Flip } from './flip.ts';

const Line = z
  .string()
  .regex(
    /^(role:\S+ \S+|(user|workload|credential):\S+ [A-Z]+ \/\S*)$/,
    'write SUBJECT METHOD PATH, or role:NAME SERVICE/OPERATION',
  );
export const WantedYaml = z.array(Line);
export type WantedYaml = z.infer<typeof WantedYaml>;

/** A path stands for its endpoint, by the routes of the files here or by the live ones. */
export const wantedBy = (
  lines: WantedYaml,
  routes: { readonly live: Iterable<Service>; readonly here: Iterable<Service> },
): ((flip: Omit<Flip, 'wanted'>) => boolean) => {
  const matchers = [routeMatcher(routes.live), routeMatcher(routes.here)];
  const rules = lines.map((line) => {
    const [who = '', what = '', path] = line.split(' ');
    if (path === undefined) return { role: who.slice('role:'.length), endpoints: new Set([what]) };
    const target = readTarget(path);
    const method = Method.safeParse(what);
    const endpoints = matchers.flatMap((matcher) =>
      target.outcome === 'read' && method.success ? (matcher.match(method.data, target)?.endpoint.id ?? []) : [],
    );
    return { subject: who, endpoints: new Set<string>(endpoints) };
  });
  return ({ subjects, live, here, causes }) =>
    rules.some(
      (rule) =>
        [live, here].some((endpoint) => endpoint !== undefined && rule.endpoints.has(endpoint)) &&
        ('role' in rule
          ? causes.some((cause) => cause.kind === 'role' && cause.role === rule.role)
          : subjects.some((subject) => subject === rule.subject)),
    );
};
