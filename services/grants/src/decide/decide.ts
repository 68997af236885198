/** One decider a command, all pure: the same command on the same state in the same circumstances decides the same. */
import type { Organisation } from '@postern/schemas';
import { restoreBirthrights } from './birthrights.ts';
import { closeBreakGlass, openBreakGlass, reviewBreakGlass, settleBreakGlass } from './break-glass.ts';
import type { Circumstances, Command, Decided, Decider } from './command.ts';
import { expireGrants, issueGrant, revokeGrant } from './grants.ts';
import { changeGroup, deleteGroup } from './groups.ts';
import { expireKeys, issueKey, revokeKey, rotateKey } from './keys.ts';
import { relateObject, unrelateObject } from './objects.ts';
import { join, leave, move, revokeSessions } from './principals.ts';
import { provision, shapeGroup } from './provision.ts';
import { publishModel, publishRoutes, publishSchema, recordEnforcement, recordQuarantine } from './publications.ts';
import { approveRequest, askForRole, denyRequest, lapseRequests, withdrawRequest } from './requests.ts';
import { closeReview, decideReview, driveReviews, openReview } from './reviews.ts';
import { defineRole, retireRole } from './roles.ts';

const deciders: { readonly [Kind in Command['kind']]: Decider<Kind> } = {
  join,
  move,
  leave,
  provision,
  'shape-group': shapeGroup,
  'revoke-sessions': revokeSessions,
  'change-group': changeGroup,
  'delete-group': deleteGroup,
  'relate-object': relateObject,
  'unrelate-object': unrelateObject,
  'define-role': defineRole,
  'retire-role': retireRole,
  'issue-grant': issueGrant,
  'revoke-grant': revokeGrant,
  'expire-grants': expireGrants,
  'issue-key': issueKey,
  'revoke-key': revokeKey,
  'rotate-key': rotateKey,
  'expire-keys': expireKeys,
  'restore-birthrights': restoreBirthrights,
  'ask-for-role': askForRole,
  'approve-request': approveRequest,
  'deny-request': denyRequest,
  'withdraw-request': withdrawRequest,
  'lapse-requests': lapseRequests,
  'open-break-glass': openBreakGlass,
  'close-break-glass': closeBreakGlass,
  'settle-break-glass': settleBreakGlass,
  'review-break-glass': reviewBreakGlass,
  'open-review': openReview,
  'decide-review': decideReview,
  'close-review': closeReview,
  'drive-reviews': driveReviews,
  'publish-schema': publishSchema,
  'publish-routes': publishRoutes,
  'publish-model': publishModel,
  'record-quarantine': recordQuarantine,
  'record-enforcement': recordEnforcement,
};

export const decide = <Kind extends Command['kind']>(
  command: Extract<Command, { kind: Kind }>,
  organisation: Organisation,
  at: Circumstances,
): Decided => (deciders[command.kind as Kind] as Decider<Kind>)(command, organisation, at);
