/** One decider a command, all pure: the same command on the same state in the same circumstances decides the same. */
import type { Organisation } from '@postern/schemas';
import { approveRequest, denyRequest, lapseRequests, withdrawRequest } from './answering.ts';
import { askForRole } from './asking.ts';
import { restoreBirthrights } from './birthrights.ts';
import { closeBreakGlass, openBreakGlass, reviewBreakGlass, settleBreakGlass } from './break-glass.ts';
import type { Circumstances, Command, Decided, Decider } from './command.ts';
import { expireGrants, issueGrant, revokeGrant } from './grants.ts';
import { changeGroup, deleteGroup } from './groups.ts';
import { expireKeys, issueKey, revokeKey, rotateKey, warnOfKeys } from './keys.ts';
import { relateObject, unrelateObject } from './objects.ts';
import { join, leave, move, note, reinstate, revokeSessions } from './principals.ts';
import { eraseSubject, liftHold, placeHold } from './privacy.ts';
import { provision, shapeGroup } from './provision.ts';
import {
  publishModel,
  publishRoutes,
  publishSchema,
  recordEnforcement,
  recordLateEnforcement,
  recordQuarantine,
} from './publications.ts';
import { releaseQuarantined } from './quarantined.ts';
import { closeReview, driveReviews } from './review-closing.ts';
import { decideReview, openReview } from './reviews.ts';
import { defineRole, retireRole } from './roles.ts';
import { applyEvent, cancelScheduled, enactScheduled } from './scheduled.ts';

const deciders: { readonly [Kind in Command['kind']]: Decider<Kind> } = {
  join,
  move,
  leave,
  provision,
  'shape-group': shapeGroup,
  'revoke-sessions': revokeSessions,
  reinstate,
  note,
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
  'warn-of-keys': warnOfKeys,
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
  'erase-subject': eraseSubject,
  'place-hold': placeHold,
  'lift-hold': liftHold,
  'publish-schema': publishSchema,
  'publish-routes': publishRoutes,
  'publish-model': publishModel,
  'record-quarantine': recordQuarantine,
  'release-quarantined': releaseQuarantined,
  'apply-event': (command, organisation, at) => applyEvent(decide, command, organisation, at),
  'enact-scheduled': (command, organisation, at) => enactScheduled(decide, command, organisation, at),
  'cancel-scheduled': cancelScheduled,
  'record-enforcement': recordEnforcement,
  'record-late-enforcement': recordLateEnforcement,
};

export const decide = <Kind extends Command['kind']>(
  command: Extract<Command, { kind: Kind }>,
  organisation: Organisation,
  at: Circumstances,
): Decided => (deciders[command.kind as Kind] as Decider<Kind>)(command, organisation, at);
