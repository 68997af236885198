/**
 * Postern's own API for the life of access. Who may decide what is a matter of each role's rule and is judged in the room: these
 * endpoints alone give nobody any say.
 */
import type { PosternOperation } from './postern-operation.ts';

const operation = (
  access: PosternOperation['access'],
  method: PosternOperation['method'],
  template: string,
  name: string,
  summary: string,
): PosternOperation => ({ room: 'grants', access, method, template, operation: name, summary });

export const lifeOfAccessOperations: readonly PosternOperation[] = [
  operation('write', 'POST', '/requests', 'askForRole', 'Ask for a role, or for a grant to last longer'),
  operation('read', 'GET', '/requests', 'listRequests', 'Requests, by state and subject'),
  operation(
    'read',
    'GET',
    '/requests/mine',
    'listMyRequests',
    'What the caller asked for, and what waits for their answer',
  ),
  operation(
    'read',
    'GET',
    '/requests/askable',
    'listAskable',
    'Roles that can be asked for, or taken in an emergency, and what stands against it for the caller',
  ),
  operation('read', 'GET', '/requests/{request}', 'getRequest', 'One request'),
  operation(
    'write',
    'POST',
    '/requests/{request}/approve',
    'approveRequest',
    'Say yes, as the rule of the role has it',
  ),
  operation('write', 'POST', '/requests/{request}/deny', 'denyRequest', 'Say no'),
  operation('write', 'POST', '/requests/{request}/withdraw', 'withdrawRequest', "Take a request of one's own back"),
  operation('write', 'POST', '/breakglass', 'openBreakGlass', 'Take a role at once, in an emergency'),
  operation('read', 'GET', '/breakglass', 'listBreakGlass', 'Uses of break-glass'),
  operation(
    'read',
    'GET',
    '/breakglass/mine',
    'listMyBreakGlass',
    "The caller's uses, and those that wait for their review",
  ),
  operation('write', 'POST', '/breakglass/{use}/close', 'closeBreakGlass', 'Give it back early'),
  operation('write', 'POST', '/breakglass/{use}/review', 'reviewBreakGlass', 'Say whether it was justified'),
  operation('admin', 'POST', '/reviews', 'openReview', 'Open a campaign over what is live now'),
  operation('read', 'GET', '/reviews', 'listReviews', 'Campaigns'),
  operation('read', 'GET', '/reviews/mine', 'listMyReviews', "What waits for the caller's decision"),
  operation('read', 'GET', '/reviews/{review}', 'getReview', 'A campaign and its items'),
  operation('write', 'POST', '/reviews/{review}/decisions', 'decideReview', 'Keep, revoke or shorten, one or many'),
  operation('admin', 'POST', '/reviews/{review}/close', 'closeReview', 'Close a campaign by its own policy'),
  operation(
    'read',
    'GET',
    '/reports/{report}',
    'report',
    'Dormant access, leavers, separation of duties, wide roles, keys, movers, break-glass',
  ),
];

/** What everybody who works with Postern may call. */
export const memberOperations: readonly string[] = [
  'askForRole',
  'listMyRequests',
  'listAskable',
  'approveRequest',
  'denyRequest',
  'withdrawRequest',
  'openBreakGlass',
  'listMyBreakGlass',
  'closeBreakGlass',
  'reviewBreakGlass',
  'listMyReviews',
  'decideReview',
];
