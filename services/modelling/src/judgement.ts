/**
 * What the workbench borrows from the rooms that decide, so that nothing here judges otherwise than the gate will. The command
 * that runs it hands these in: rooms do not know each other.
 */
import type { Reached, Relationships } from '@postern/relationships';
import type {
  Actor,
  Allowance,
  Attributes,
  Conditions,
  Context,
  CredentialId,
  DecisionPoint,
  EndpointId,
  FactDraft,
  GroupId,
  Member,
  ObjectId,
  ObjectQuestion,
  ObjectSubject,
  Organisation,
  PrincipalId,
  Problem,
  Relationship,
  RoleName,
  RoleRules,
  Service,
  SubjectId,
} from '@postern/schemas';

/** The commands that make up an organisation on the workbench: some of those that the grants room knows. */
export type ModelCommand =
  | { readonly kind: 'publish-schema'; readonly text: string }
  | { readonly kind: 'publish-routes'; readonly service: Service }
  | { readonly kind: 'define-role'; readonly role: RoleName; readonly rules: RoleRules }
  | { readonly kind: 'join'; readonly principal: PrincipalId; readonly attributes: Attributes }
  | { readonly kind: 'leave'; readonly principal: PrincipalId }
  | {
      readonly kind: 'change-group';
      readonly group: GroupId;
      readonly add: readonly Member[];
      readonly remove: readonly Member[];
    }
  | {
      readonly kind: 'issue-grant';
      readonly subject: SubjectId;
      readonly role: RoleName;
      readonly conditions?: Conditions | undefined;
      readonly reason: string;
    }
  | {
      readonly kind: 'relate-object';
      readonly object: ObjectId;
      readonly relation: string;
      readonly subject: ObjectSubject;
      readonly reason: string;
    }
  | {
      readonly kind: 'issue-key';
      readonly credential: CredentialId;
      readonly owner: PrincipalId;
      readonly digest: string;
      readonly roles: readonly RoleName[];
      readonly until?: string | undefined;
      readonly reason: string;
    };

export type Circumstances = {
  /** RFC 3339, UTC. */
  readonly now: string;
  readonly occurred: string;
  readonly actor: Actor;
  readonly newId: () => string;
  readonly correlation: string;
};

/** The grants room's deciders: a command becomes facts, or is refused for a reason. Pure. */
export type DecideCommand = (
  command: ModelCommand,
  organisation: Organisation,
  circumstances: Circumstances,
) =>
  | { readonly outcome: 'facts'; readonly facts: readonly FactDraft[] }
  | { readonly outcome: 'nothing' }
  | { readonly outcome: 'refused'; readonly problem: Problem };

/** A way through the graph: over a role, or (without one) over relationships of an object itself. */
export type Way = {
  readonly subject: string;
  readonly role?: RoleName;
  readonly group?: GroupId;
  readonly allows?: Allowance;
  /** Without a role: `employee:42#view`, and the relationships that lead there. */
  readonly object?: string;
  readonly through?: readonly Pick<Relationship, 'resource' | 'relation' | 'subject'>[];
};
/** How near a refusal was to an allow, whatever further kinds there are. */
export type Miss = {
  readonly kind: string;
  readonly role?: RoleName;
  /** For `condition`: what of the grant stands in the way. */
  readonly unmet?: readonly string[];
  readonly missing?: readonly string[];
  /** For `object`: `employee:42#view`, and the relations that it rests on. */
  readonly object?: string;
  readonly relations?: readonly string[];
};
/** The parts of the authorizer's explanations that the workbench shows. */
export type Explanation =
  | { readonly outcome: 'allow'; readonly public: true }
  | { readonly outcome: 'allow'; readonly ways: readonly Way[] }
  | { readonly outcome: 'deny'; readonly subject: string; readonly misses: readonly Miss[] };

export type Asked = {
  readonly subjects: readonly (PrincipalId | CredentialId)[];
  readonly endpoint: EndpointId;
  readonly objects?: readonly ObjectQuestion[];
  /** Does the subject hold it by relationships of the object alone? The engine's answer. */
  readonly related?: (subject: string, object: ObjectQuestion) => boolean;
  readonly context: Partial<Context>;
};

/** The authorizer's judgement over an engine that has been filled from `organisation`. */
export type JudgeOver = (deps: {
  readonly engine: Pick<Relationships, 'checkAt'>;
  readonly organisation: Organisation;
  readonly reached: () => Reached;
}) => DecisionPoint & { readonly explain: (asked: Asked) => Explanation };
