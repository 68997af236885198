/** The sentences of assertions.yaml that say what has to follow. Strict: a sentence that could be read in two ways is a mistake. */
import { CredentialId, GroupId, PrincipalId } from '@postern/schemas';
import { readUnder, type Under } from './circumstances.ts';
import { type NamedCall, readCall } from './named-call.ts';
import { listOf, mistaken, type Read } from './reading.ts';

export type Caller = PrincipalId | CredentialId | `role:${string}`;
type Asked = Under & { readonly call: NamedCall };
export type Assertion =
  /** `callers`: one, or a chain: an agent for an agent for a person. */
  | (Asked & { readonly kind: 'can'; readonly can: boolean; readonly callers: readonly Caller[] })
  | (Asked & { readonly kind: 'anybody' })
  /** `except`: principals, credentials, `group:x` and `role:x`. */
  | (Asked & { readonly kind: 'nobody-but'; readonly except: readonly string[] });

const assertForms = [
  'SUBJECT [with scopes|acr|amr VALUE,… [and …]] can|cannot METHOD PATH [at INSTANT] [from IP] [in COUNTRY]',
  'AGENT for SUBJECT can|cannot METHOD PATH …',
  'role:NAME can|cannot METHOD PATH …',
  'nobody [but WHO, …] can METHOD PATH …',
  'anybody can METHOD PATH',
  'in the place of METHOD PATH: call query|mutation|subscription FIELD, call tool NAME, call rpc NAME, call SERVICE/OPERATION, each [at PATH]',
];

/** The gate takes an agent for an agent for a person up to here; a longer chain is a bad token to it. */
const actorsMax = 5;

const roleText = /^role:[a-z][a-z0-9_-]{1,62}[a-z0-9]$/;
const callerOf = (text: string): Caller | undefined =>
  roleText.test(text)
    ? (text as `role:${string}`)
    : (PrincipalId.safeParse(text).data ?? CredentialId.safeParse(text).data);

export const readAssertion = (text: string): Read<Assertion> => {
  const found = /^(.+?)\s+(can|cannot|can't)\s+(.+)$/s.exec(text.trim());
  if (found === null) return mistaken(`"${text}" is not understood`, assertForms);
  const [, whole = '', verb, behind = ''] = found;
  const called = readCall(behind.split(/\s+/));
  if ('what' in called) return called;
  const [, who = '', claims] = /^(.*?)(?:\s+(with(?:\s.*)?))?$/s.exec(whole) ?? [];
  const before = readUnder(claims?.split(/\s+/) ?? []);
  if ('what' in before) return mistaken(before.what, assertForms.slice(0, 1));
  const under = readUnder(called.rest, before);
  if ('what' in under) return mistaken(under.what, assertForms.slice(0, 1));
  const asked: Asked = { ...under, call: called.call };
  const can = verb === 'can';
  if (who === 'anybody' || who === 'everybody')
    return can
      ? { sentence: { kind: 'anybody', ...asked } }
      : { what: `"${who} cannot" could mean two things`, fix: `write "nobody can ${behind}"` };
  const nobody = /^nobody(?:\s+but\s+(.+))?$/s.exec(who);
  if (nobody !== null) return readNobody(nobody[1] ?? '', can, behind, asked);
  const callers = who.split(/\s+for\s+/).flatMap((each) => callerOf(each) ?? []);
  if (callers.length < who.split(/\s+for\s+/).length) return mistaken(`"${who}" is nobody who could call`, assertForms);
  if (callers.length > actorsMax + 1)
    return { what: 'the chain is longer than the gate takes', fix: `name at most ${actorsMax} who act for another` };
  const claimed = asked.scopes !== undefined || 'acr' in asked.circumstances || 'amr' in asked.circumstances;
  const key = callers.find((each) => each.startsWith('credential:'));
  if (claimed && key !== undefined)
    return {
      what: `${key} is an API key, and a key carries no claims`,
      fix: 'leave "with" out, or name whom the token is about',
    };
  return { sentence: { kind: 'can', can, callers, ...asked } };
};

const readNobody = (but: string, can: boolean, behind: string, asked: Asked): Read<Assertion> => {
  if (!can) return { what: '"nobody cannot" says nothing', fix: `write "nobody but WHO can ${behind}"` };
  if (asked.scopes !== undefined)
    return { what: 'scopes narrow the token of one caller', fix: 'write SUBJECT with scopes … cannot …' };
  const except = listOf(but.split(/\s+/));
  const unknown = except.find((each) => callerOf(each) === undefined && !GroupId.safeParse(each).success);
  if (unknown !== undefined)
    return {
      what: `"${unknown}" is nobody`,
      fix: 'write user:NAME, workload:NAME, credential:ID, group:NAME or role:NAME',
    };
  return { sentence: { kind: 'nobody-but', except, ...asked } };
};
