/**
 * The console's own part of Postern's API: files that say nothing of anybody, and the cookie. All of it is public, because whoever
 * signs in has no credential yet; what the pages show they ask of the other endpoints, with the person's own credential.
 */
import type { PosternOperation } from './postern-operation.ts';

const operation = (
  method: PosternOperation['method'],
  template: string,
  name: string,
  summary: string,
): PosternOperation => ({ room: 'console', access: 'read', method, template, operation: name, summary, public: true });

/** The cookie that carries a person's credential to Postern's own API, and the header without which it does not count. */
export const sessionCookie = 'postern_session';
export const sessionHeader = 'postern-console';
/** What the room keeps beside it, sealed: a sign-in that is under way, and what a session is renewed with. Paths of their own. */
export const signInCookie = 'postern_sign_in';
export const renewalCookie = 'postern_renewal';

export const consoleOperations: readonly PosternOperation[] = [
  {
    ...operation(
      'POST',
      '/sessions/end',
      'endMySessions',
      "End the caller's sessions, at every gate and on every device",
    ),
    room: 'grants',
  },
  {
    ...operation('POST', '/access/v1/mine', 'evaluateMine', 'Which of these endpoints the caller may call'),
    room: 'authorizer',
  },
  operation('GET', '/console', 'openConsole', 'The way to the console'),
  operation('GET', '/console/', 'showConsole', 'The console: a page for people'),
  operation('GET', '/console/session', 'whoAmI', 'Whose session it is'),
  operation('POST', '/console/session', 'signIn', 'Keep a credential in a cookie that scripts cannot read'),
  operation('DELETE', '/console/session', 'signOut', 'Drop the cookie'),
  operation('GET', '/console/issuers', 'listSignIns', 'With whose word one can sign in'),
  operation('POST', '/console/session/begin', 'beginSignIn', 'The way to an issuer, to sign in there'),
  operation('POST', '/console/session/finish', 'finishSignIn', 'Take what the issuer sent back for a session'),
  operation('POST', '/console/session/renew', 'renewSession', 'Renew a session while it is one'),
  operation('GET', '/console/{path+}', 'getConsoleFile', 'A file or a page of the console'),
];
