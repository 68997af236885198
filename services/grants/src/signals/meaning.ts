/**
 * What a security event means for access. It takes away, or says nothing: the one that gives back, account-enabled, gives back no more
 * than the same transmitter took.
 */
import type { SecurityEvent } from './verify.ts';

export type Meaning =
  /** Tokens issued before `before` (ms since the epoch) are refused. */
  | { readonly kind: 'end-sessions'; readonly before: number; readonly why: string }
  | { readonly kind: 'leave'; readonly why: string }
  | { readonly kind: 'return'; readonly why: string }
  /** The address or account no longer means whom it meant: whoever has it next inherits nothing. */
  | { readonly kind: 'recycled'; readonly before: number; readonly why: string }
  | { readonly kind: 'verification'; readonly state: string | undefined }
  | { readonly kind: 'stream-updated'; readonly status: string; readonly why: string | undefined }
  | { readonly kind: 'nothing'; readonly why: string };

const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/';
/** Claims of a token that decisions here may rest on. */
const claimsThatCount = new Set(['sub', 'act', 'scope', 'scp', 'acr', 'amr', 'auth_time', 'cnf', 'exp']);

export const meaningOf = ({ type, event, issuedAt, happenedAt }: SecurityEvent, now: number): Meaning => {
  const text = (name: string): string | undefined => (typeof event[name] === 'string' ? event[name] : undefined);
  const name = type.startsWith(caep)
    ? `caep/${type.slice(caep.length)}`
    : type.startsWith(risc)
      ? `risc/${type.slice(risc.length)}`
      : type.startsWith(ssf)
        ? `ssf/${type.slice(ssf.length)}`
        : type;
  const because = [name, text('change_type'), text('credential_type'), text('reason')].filter(Boolean).join(' ');
  // Tokens and events count in whole seconds: what was issued within that second may have been issued before. Never beyond our clock,
  // or a wrong time would lock somebody out for years.
  const before = Math.min((Math.floor((happenedAt ?? issuedAt) / 1_000) + 1) * 1_000, now + 1_000);
  const end: Meaning = { kind: 'end-sessions', before, why: because };
  const nothing: Meaning = { kind: 'nothing', why: because };
  switch (name) {
    case 'caep/session-revoked':
    case 'risc/sessions-revoked':
    case 'risc/credential-compromise':
    case 'risc/account-credential-change-required':
      return end;
    case 'caep/credential-change':
      // A new credential beside the old ones ends nothing; one that is gone or another may have been used until then.
      return text('change_type') === 'create' ? nothing : end;
    case 'caep/assurance-level-change':
      return text('change_direction') === 'increase' ? nothing : end;
    case 'caep/token-claims-change': {
      const claims = event['claims'];
      const named = typeof claims === 'object' && claims !== null ? Object.keys(claims) : [];
      return named.some((claim) => claimsThatCount.has(claim)) ? end : nothing;
    }
    case 'caep/device-compliance-change':
      return text('current_status') === 'not-compliant' ? end : nothing;
    case 'caep/risk-level-change':
      return text('current_level') === 'HIGH' ? end : nothing;
    case 'risc/account-disabled':
    case 'risc/account-purged':
      return { kind: 'leave', why: because };
    case 'risc/account-enabled':
      return { kind: 'return', why: because };
    case 'risc/identifier-recycled':
    case 'risc/identifier-changed':
      return { kind: 'recycled', before, why: because };
    case 'ssf/verification':
      return { kind: 'verification', state: text('state') };
    case 'ssf/stream-updated':
      return { kind: 'stream-updated', status: text('status') ?? 'unknown', why: text('reason') };
    default:
      return nothing;
  }
};

/** Events about the stream itself, whose subject is the stream. */
export const isAboutStream = ({ kind }: Meaning): boolean => kind === 'verification' || kind === 'stream-updated';
