/** Commands: what somebody wants changed. Deciders turn them into facts or say why not; nothing else makes a fact. */
import type {
  Actor,
  Attributes,
  Conditions,
  CredentialId,
  FactDraft,
  GrantId,
  GroupId,
  Member,
  ObjectId,
  ObjectSubject,
  Organisation,
  PrincipalId,
  Problem,
  RoleName,
  RoleRules,
  Sequence,
  Service,
  SubjectId,
} from '@postern/schemas';

type Why = { readonly reason: string; readonly ticket?: string | undefined };

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
      readonly attributes: Attributes;
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
      readonly reason?: string | undefined;
    }
  | {
      readonly kind: 'change-group';
      readonly group: GroupId;
      readonly add: readonly Member[];
      readonly remove: readonly Member[];
      readonly reason?: string | undefined;
    }
  | {
      readonly kind: 'relate-object' | 'unrelate-object';
      readonly object: ObjectId;
      readonly relation: string;
      readonly subject: ObjectSubject;
      readonly reason?: string | undefined;
    }
  | { readonly kind: 'delete-group'; readonly group: GroupId; readonly reason?: string | undefined }
  | {
      readonly kind: 'define-role';
      readonly role: RoleName;
      readonly rules: RoleRules;
      readonly reason?: string | undefined;
      readonly commit?: string | undefined;
    }
  | {
      readonly kind: 'retire-role';
      readonly role: RoleName;
      readonly reason?: string | undefined;
      readonly commit?: string | undefined;
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
  | { readonly kind: 'publish-schema'; readonly text: string; readonly commit?: string | undefined }
  | { readonly kind: 'publish-routes'; readonly service: Service; readonly commit?: string | undefined }
  /** All of it in one append; services that are live and not named here are withdrawn. */
  | {
      readonly kind: 'publish-model';
      readonly schema: string;
      readonly services: readonly Service[];
      readonly roles: ReadonlyMap<RoleName, RoleRules>;
      readonly retire: readonly RoleName[];
      readonly reason: string;
      readonly commit?: string | undefined;
    }
  | {
      readonly kind: 'record-quarantine';
      readonly from: string;
      readonly position: string;
      readonly why: string;
      readonly digest: string;
    }
  | {
      readonly kind: 'record-enforcement';
      readonly reached: Sequence;
      readonly proxies: number;
      readonly lapsed: readonly string[];
    };

/** The circumstances of a decision: time, ids and origin are data, so the same command on the same state decides the same. */
export type Circumstances = {
  /** RFC 3339, UTC. */
  readonly now: string;
  /** When it happened, as the source says; `now` where it says nothing. */
  readonly occurred: string;
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
