/** Commands: what somebody wants changed. Deciders turn them into facts or say why not; nothing else makes a fact. */
import type {
  Actor,
  AttributeChanges,
  Attributes,
  BreakGlassId,
  Conditions,
  CredentialId,
  FactDraft,
  GrantId,
  GroupId,
  Member,
  NativeEvent,
  ObjectId,
  ObjectSubject,
  Organisation,
  PrincipalId,
  Problem,
  Provenance,
  RequestId,
  ReviewId,
  ReviewScope,
  RoleName,
  RoleRules,
  Sequence,
  Service,
  SubjectId,
} from '@postern/schemas';

type Why = { readonly reason: string; readonly ticket?: string | undefined };

/** Whoever decides about somebody's access, as the gate asserts it. */
export type Deciding = {
  readonly principal: PrincipalId;
  readonly credential?: CredentialId | undefined;
  /** Who acts in the principal's name: the chain of a delegation. */
  readonly through: readonly string[];
};

type ObjectEdge = {
  readonly object: ObjectId;
  readonly relation: string;
  readonly subject: ObjectSubject;
  readonly reason?: string | undefined;
};

export type Command =
  | {
      readonly kind: 'join';
      readonly principal: PrincipalId;
      readonly attributes: Attributes;
      readonly reason?: string | undefined;
    }
  | {
      readonly kind: 'move';
      readonly principal: PrincipalId;
      readonly attributes: AttributeChanges;
      readonly reason?: string | undefined;
    }
  /** How somebody is to be, as an identity system has it; without attributes: gone. */
  | {
      readonly kind: 'provision';
      readonly principal: PrincipalId;
      readonly attributes?: Attributes | undefined;
      readonly reason?: string | undefined;
    }
  /** `exact`: nobody but those in `add`. The group is made where there is none. */
  | {
      readonly kind: 'shape-group';
      readonly group: GroupId;
      readonly exact: boolean;
      readonly add: readonly Member[];
      readonly remove: readonly Member[];
    }
  | { readonly kind: 'leave'; readonly principal: PrincipalId; readonly reason?: string | undefined }
  | {
      readonly kind: 'revoke-sessions';
      readonly principal: PrincipalId;
      readonly before: string;
      /** Tokens of somebody who has not joined count once they do. */
      readonly evenUnknown?: boolean | undefined;
      /** The digest of the accounts file whose addresses of the principal mean nobody from now on. */
      readonly addressesOf?: string | undefined;
      readonly reason?: string | undefined;
    }
  /** Brings back whom `source` alone said to be gone. */
  | {
      readonly kind: 'reinstate';
      readonly principal: PrincipalId;
      readonly source: string;
      readonly reason?: string | undefined;
    }
  /** Nothing follows from it; that it came stands in the record. */
  | { readonly kind: 'note'; readonly type: string; readonly why: string }
  | {
      readonly kind: 'change-group';
      readonly group: GroupId;
      readonly add: readonly Member[];
      readonly remove: readonly Member[];
      readonly reason?: string | undefined;
    }
  | ({ readonly kind: 'relate-object' } & ObjectEdge)
  | ({ readonly kind: 'unrelate-object' } & ObjectEdge)
  | { readonly kind: 'delete-group'; readonly group: GroupId; readonly reason?: string | undefined }
  | {
      readonly kind: 'define-role';
      readonly role: RoleName;
      readonly rules: RoleRules;
      readonly reason?: string | undefined;
      readonly provenance?: Provenance | undefined;
    }
  | {
      readonly kind: 'retire-role';
      readonly role: RoleName;
      readonly reason?: string | undefined;
      readonly provenance?: Provenance | undefined;
    }
  | ({
      readonly kind: 'issue-grant';
      readonly subject: SubjectId;
      readonly role: RoleName;
      readonly conditions?: Conditions | undefined;
    } & Why)
  | ({ readonly kind: 'revoke-grant'; readonly grant: GrantId } & Why)
  | { readonly kind: 'expire-grants' }
  | {
      readonly kind: 'issue-key';
      readonly credential: CredentialId;
      readonly owner: PrincipalId;
      readonly digest: string;
      readonly roles: readonly RoleName[];
      readonly until?: string | undefined;
      readonly reason: string;
    }
  | { readonly kind: 'revoke-key'; readonly credential: CredentialId; readonly reason?: string | undefined }
  | {
      readonly kind: 'rotate-key';
      readonly credential: CredentialId;
      readonly successor: CredentialId;
      readonly digest: string;
      readonly overlapMs: number;
      readonly until?: string | undefined;
      readonly reason: string;
    }
  | { readonly kind: 'expire-keys' }
  | { readonly kind: 'restore-birthrights' }
  | ({
      readonly kind: 'ask-for-role';
      readonly subject: PrincipalId;
      readonly role: RoleName;
      readonly requester: PrincipalId;
      readonly duration?: string | undefined;
      /** The grant that is to last longer. */
      readonly extends?: GrantId | undefined;
    } & Why)
  | {
      readonly kind: 'approve-request';
      readonly request: RequestId;
      readonly deciding: Deciding;
      readonly reason?: string | undefined;
    }
  | {
      readonly kind: 'deny-request';
      readonly request: RequestId;
      readonly deciding: Deciding;
      readonly reason: string;
    }
  | {
      readonly kind: 'withdraw-request';
      readonly request: RequestId;
      readonly by: PrincipalId;
      readonly reason?: string | undefined;
    }
  | { readonly kind: 'lapse-requests' }
  | { readonly kind: 'warn-of-keys' }
  | ({
      readonly kind: 'open-break-glass';
      readonly role: RoleName;
      /** Whose emergency it is: nobody opens it for somebody else. */
      readonly deciding: Deciding;
      readonly duration?: string | undefined;
    } & Why)
  | {
      readonly kind: 'close-break-glass';
      readonly use: BreakGlassId;
      readonly by: PrincipalId;
      readonly reason?: string | undefined;
    }
  | { readonly kind: 'settle-break-glass' }
  | {
      readonly kind: 'review-break-glass';
      readonly use: BreakGlassId;
      readonly deciding: Deciding;
      readonly verdict: 'justified' | 'unjustified';
      readonly reason: string;
    }
  | {
      readonly kind: 'open-review';
      readonly title: string;
      readonly scope: ReviewScope;
      readonly reviewer: string;
      readonly escalateTo: string;
      /** RFC 3339. */
      readonly due: string;
      readonly undecided: 'keep' | 'revoke';
      /** Of those in the scope, these alone. */
      readonly only?: ReadonlySet<GrantId> | undefined;
    }
  | {
      readonly kind: 'decide-review';
      readonly review: ReviewId;
      readonly decisions: readonly {
        readonly grant: GrantId;
        readonly decision: 'keep' | 'revoke' | 'shorten';
        readonly until?: string | undefined;
      }[];
      readonly deciding: Deciding;
      readonly reason: string;
    }
  | { readonly kind: 'close-review'; readonly review: ReviewId; readonly reason: string }
  | { readonly kind: 'drive-reviews' }
  | { readonly kind: 'publish-schema'; readonly text: string; readonly provenance?: Provenance | undefined }
  | { readonly kind: 'publish-routes'; readonly service: Service; readonly provenance?: Provenance | undefined }
  /** All of it in one append; services that are live and not named here are withdrawn. */
  | {
      readonly kind: 'publish-model';
      readonly schema: string;
      readonly services: readonly Service[];
      readonly roles: ReadonlyMap<RoleName, RoleRules>;
      readonly retire: readonly RoleName[];
      readonly reason: string;
      readonly provenance?: Provenance | undefined;
    }
  | {
      readonly kind: 'record-quarantine';
      readonly from: string;
      readonly position: string;
      readonly why: string;
      readonly digest: string;
      readonly event?: { readonly source: string; readonly id: string } | undefined;
    }
  /** An event in quarantine was applied, or is given up. */
  | {
      readonly kind: 'release-quarantined';
      readonly quarantined: string;
      readonly outcome: 'applied' | 'dismissed';
      readonly fixed?: string | undefined;
      readonly reason?: string | undefined;
    }
  /** What an event asks for, now or when it is due; it may take the place of one that waits. */
  | {
      readonly kind: 'apply-event';
      readonly event: NativeEvent;
      readonly inner: EventCommand;
      /** RFC 3339; absent: now. */
      readonly due?: string | undefined;
      /** The id of an event of the same source that this one replaces while it waits. */
      readonly replaces?: string | undefined;
    }
  /** Once it is due. */
  | { readonly kind: 'enact-scheduled'; readonly scheduled: string }
  /** By the scheduled fact's id, or by source and id of its event. */
  | {
      readonly kind: 'cancel-scheduled';
      readonly scheduled: string | { readonly source: string; readonly id: string };
      readonly outcome?: 'cancelled' | 'quarantined';
      readonly reason?: string | undefined;
    }
  | { readonly kind: 'record-late-enforcement'; readonly reached: Sequence; readonly waitingFor: readonly string[] }
  | {
      readonly kind: 'record-enforcement';
      readonly reached: Sequence;
      readonly proxies: number;
      readonly lapsed: readonly string[];
    };

/** What events ask for. */
export type EventCommand = Extract<
  Command,
  {
    kind:
      | 'join'
      | 'move'
      | 'leave'
      | 'revoke-sessions'
      | 'reinstate'
      | 'note'
      | 'change-group'
      | 'delete-group'
      | 'relate-object'
      | 'unrelate-object'
      | 'cancel-scheduled';
  }
>;

/** The circumstances of a decision: time, ids and origin are data, so the same command on the same state decides the same. */
export type Circumstances = {
  /** RFC 3339, UTC. */
  readonly now: string;
  /** When it happened, as the source says; `now` where it says nothing. */
  readonly occurred: string;
  /** When the source said it; absent where it names no time, so that it holds from now on whatever was said before. */
  readonly said?: string | undefined;
  readonly actor: Actor;
  readonly newId: () => string;
  readonly correlation: string;
  readonly causation?: string | undefined;
  readonly traceparent?: string | undefined;
  /** The inbound event or idempotent request behind the command. */
  readonly inbound?: { readonly source: string; readonly id: string; readonly digest: string } | undefined;
};

export type Decided =
  | { readonly outcome: 'facts'; readonly facts: readonly FactDraft[] }
  /** The state is already as asked for. */
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'refused'; readonly problem: Problem };

export type Decider<Kind extends Command['kind']> = (
  command: Extract<Command, { kind: Kind }>,
  organisation: Organisation,
  circumstances: Circumstances,
) => Decided;
