/**
 * Whom a subject of a security event means here. Only ids that do not change hands are taken as they are; an e-mail address or an
 * account means somebody only where a file says so.
 */
import { encodeId, PrincipalId, type Transmitter } from '@postern/schemas';
import type { SetSubject } from './verify.ts';

export type Resolved =
  /** `account`: where the id itself is not what was named, the address that was. */
  | { readonly outcome: 'resolved'; readonly principal: PrincipalId; readonly account?: string }
  | { readonly outcome: 'unresolved'; readonly why: string };

/** Address or account, in lower case → principal. */
export type Accounts = (account: string) => PrincipalId | undefined;

export const resolveSubject = (
  subject: SetSubject | undefined,
  transmitter: Pick<Transmitter, 'issuer' | 'subjects'>,
  accounts: Accounts,
): Resolved => {
  const { issuer, subjects } = transmitter;
  const unresolved = (why: string): Resolved => ({ outcome: 'unresolved', why });
  const named = (id: unknown): Resolved => {
    try {
      const principal = PrincipalId.safeParse(`${subjects.type}:${encodeId(String(id))}`);
      return principal.success
        ? { outcome: 'resolved', principal: principal.data }
        : unresolved('its id cannot be one of a principal');
    } catch (error) {
      return unresolved(error instanceof Error ? error.message : 'its id cannot be read');
    }
  };
  const mapped = (address: unknown, what: string): Resolved => {
    const account = typeof address === 'string' ? address.toLowerCase() : undefined;
    const principal = account === undefined ? undefined : accounts(account);
    return principal === undefined || account === undefined
      ? unresolved(`${what} means nobody here: subjects.accounts of the transmitter does not name it`)
      : { outcome: 'resolved', principal, account };
  };
  if (subject === undefined) return unresolved('it names no subject');
  switch (subject.format) {
    case 'iss_sub':
      if (typeof subject['iss'] !== 'string' || typeof subject['sub'] !== 'string')
        return unresolved('iss or sub is missing');
      return (subjects.issuers ?? [issuer]).includes(subject['iss'])
        ? named(subject['sub'])
        : unresolved(`subjects of ${subject['iss']} mean nobody here`);
    case 'opaque':
      if (typeof subject['id'] !== 'string') return unresolved('id is missing');
      return subjects.opaque ? named(subject['id']) : unresolved('opaque ids mean nobody here (subjects.opaque)');
    case 'email':
      return mapped(subject['email'], 'the e-mail address');
    case 'account':
      return mapped(
        typeof subject['uri'] === 'string' ? subject['uri'].replace(/^acct:/, '') : undefined,
        'the account',
      );
    case 'complex': {
      // Of user, session, device and tenant the user alone is known here; a session of theirs is ended with the others.
      const user = subject['user'];
      return isSubject(user) ? resolveSubject(user, transmitter, accounts) : unresolved('it names no user');
    }
    case 'aliases': {
      const all: readonly SetSubject[] = Array.isArray(subject['identifiers'])
        ? subject['identifiers'].filter(isSubject)
        : [];
      const found = all.map((each) => resolveSubject(each, transmitter, accounts));
      const people = new Set(found.flatMap((each) => (each.outcome === 'resolved' ? each.principal : [])));
      const [only, ...others] = people;
      if (others.length > 0) return unresolved('its identifiers mean several principals');
      return only === undefined
        ? unresolved('none of its identifiers means anybody here')
        : { outcome: 'resolved', principal: only };
    }
    default:
      return unresolved(`subjects of the format ${subject.format} are not read`);
  }
};

const isSubject = (value: unknown): value is SetSubject =>
  typeof value === 'object' && value !== null && typeof (value as { format?: unknown }).format === 'string';
