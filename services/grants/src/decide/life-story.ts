/** Test language for the life of access: people with roles that are asked for, at a time that the test moves. */
import { GrantId, PrincipalId, RoleName, RoleRules, type SubjectId } from '@postern/schemas';
import type { Circumstances, Command, Deciding } from './command.ts';
import { type Story, story } from './story.ts';

export const person = (name: string): PrincipalId => PrincipalId.parse(`user:${name}`);
export const role = (name: string): RoleName => RoleName.parse(name);
export const by = (name: string, more: Partial<Deciding> = {}): Deciding => ({
  principal: person(name),
  through: [],
  ...more,
});
export const defines = (name: string, rules: object = {}): Command => ({
  kind: 'define-role',
  role: role(name),
  rules: RoleRules.parse({ allows: [{ service: 'payroll', access: 'read' }], ...rules }),
});
export const joins = (name: string, attributes: object = {}): Command => ({
  kind: 'join',
  principal: person(name),
  attributes,
});
export const gives = (name: string, what: string): Command => ({
  kind: 'issue-grant',
  subject: person(name) as unknown as SubjectId,
  role: role(what),
  reason: 'test',
});

export type Moving = Story & {
  readonly later: (ms: number) => void;
  /** Who acts from here on. */
  readonly by: (name: string) => void;
};

/** A story whose clock stands until it is moved. */
export const moving = (...commands: readonly Command[]): Moving => {
  let now = Date.parse('2026-11-24T08:00:00.000Z');
  let actor: Circumstances['actor'] = { authtype: 'system', authid: 'postern/test' };
  const at: Partial<Circumstances> = {
    get actor() {
      return actor;
    },
    get now() {
      return new Date(now).toISOString();
    },
  };
  const told = story(at);
  for (const command of commands) told.run(command);
  return {
    ...told,
    by: (name) => {
      actor = { authtype: 'user', authid: person(name) };
    },
    later: (ms) => {
      now += ms;
    },
  };
};

export const grantOf = (told: Story, name: string, what: string): GrantId => {
  const found = told.organisation
    .grantsOf(person(name) as unknown as SubjectId)
    .find((grant) => grant.role === role(what));
  return GrantId.parse(found?.id);
};
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;
export const days = (count: number): number => count * 86_400_000;
