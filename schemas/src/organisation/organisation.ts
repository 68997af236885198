/**
 * The organisation as the log tells it: the one fold of facts that every room shares. Grants decides on it, the authorizer
 * projects its relationships, the proxy reads routes and credentials from it, audit replays it to any moment.
 *
 * It is deterministic and does no I/O. It changes in place, because a log may hold millions of memberships: `apply` is
 * `evolve`, and it answers with the relationship updates that the fact means, so that all readers share one projection.
 */
import { assertNever } from '../assert-never.ts';
import type { Conditions } from '../conditions.ts';
import type { Fact } from '../facts/fact.ts';
import type { LoggedFact } from '../facts/log-entry.ts';
import type { RoleRules } from '../facts/role.ts';
import type { CredentialId, GrantId, PrincipalId, RoleName, Sequence, SubjectId } from '../ids.ts';
import { beginning } from '../ids.ts';
import { canonicalJson, type Relationship, type RelationshipUpdate } from '../relationship.ts';
import type { Endpoint, Service } from '../routes/endpoint.ts';
import { AllClaims, type ClaimTime, claimTime } from './claims.ts';
import { Groups } from './closure.ts';
import { edgeTime } from './edge-time.ts';
import { difference, remove, roleEdges, routeEdges, toMemberships, touch } from './edges.ts';
import { Inbox } from './inbox.ts';
import { layered } from './layers.ts';
import { AccessLife } from './life/access-life.ts';
import { ObjectRelations } from './object-relations.ts';
import type { Credential, Grant, Principal } from './standing.ts';

export type { Credential, Grant, Principal } from './standing.ts';

export class Organisation {
  sequence: Sequence = beginning;
  readonly principals: Map<PrincipalId, Principal>;
  /** What sources said of principals, and for when. */
  readonly claims: AllClaims;
  /** Events that wait, and events in quarantine. */
  readonly inbox: Inbox;
  readonly groups: Groups;
  readonly roles: Map<RoleName, RoleRules>;
  /** Live grants. */
  readonly grants: Map<GrantId, Grant>;
  readonly credentials: Map<CredentialId, Credential>;
  readonly credentialsByDigest: Map<string, Credential>;
  /** Relationships of the engineers' own objects, as facts told them. */
  readonly objects: ObjectRelations;
  readonly services: Map<string, Service>;
  readonly life: AccessLife;
  /** Tokens of the principal issued before this instant (ms since the epoch) are refused. */
  readonly sessionsRevokedBefore: Map<PrincipalId, number>;
  schema: string | undefined;
  readonly #grantsBySubject: Map<SubjectId, Set<GrantId>>;
  readonly #credentialsByOwner: Map<PrincipalId, Set<CredentialId>>;
  #openParts: { text: string; endpoints: Endpoint[] } = { text: '', endpoints: [] };

  /**
   * An empty one; or one that goes on from another, which it leaves as it is and which must not change meanwhile: what the facts would
   * make of it that are not in the log yet.
   */
  constructor(under?: Organisation) {
    this.principals = layered(under?.principals);
    this.claims = new AllClaims(under?.claims);
    this.inbox = new Inbox(under?.inbox);
    this.groups = new Groups(under?.groups);
    this.roles = layered(under?.roles);
    this.grants = layered(under?.grants);
    this.credentials = layered(under?.credentials);
    this.credentialsByDigest = layered(under?.credentialsByDigest);
    this.objects = new ObjectRelations(under?.objects);
    this.services = layered(under?.services);
    this.life = new AccessLife(under?.life);
    this.sessionsRevokedBefore = layered(under?.sessionsRevokedBefore);
    this.#grantsBySubject = layered(under === undefined ? undefined : under.#grantsBySubject);
    this.#credentialsByOwner = layered(under === undefined ? undefined : under.#credentialsByOwner);
    if (under === undefined) return;
    this.sequence = under.sequence;
    this.schema = under.schema;
    const { text, endpoints } = under.#openParts;
    this.#openParts = { text, endpoints };
  }

  grantsOf(subject: SubjectId): Grant[] {
    return [...(this.#grantsBySubject.get(subject) ?? [])].flatMap((id) => this.grants.get(id) ?? []);
  }
  credentialsOf(owner: PrincipalId): Credential[] {
    return [...(this.#credentialsByOwner.get(owner) ?? [])].flatMap((id) => this.credentials.get(id) ?? []);
  }

  /** Takes the next fact in; answers the relationship updates it means. Facts come in sequence, each once. */
  apply(entry: LoggedFact & { readonly fact: Fact }): RelationshipUpdate[] {
    const { fact } = entry;
    this.life.take(entry, this);
    this.sequence = entry.sequence;
    switch (fact.type) {
      case 'postern.principal.joined.v1': {
        const { principal, attributes } = fact.data;
        this.claims.apply(fact, this.principals.get(principal));
        const joined = claimTime(fact);
        this.principals.set(principal, {
          id: principal,
          attributes,
          state: 'active',
          since: entry.sequence,
          joined,
          leftBy: noOne,
        });
        return [];
      }
      case 'postern.principal.moved.v1': {
        const { principal, after } = fact.data;
        const known = this.principals.get(principal);
        this.claims.apply(fact, known);
        this.principals.set(principal, {
          id: principal,
          attributes: after,
          state: 'active',
          since: entry.sequence,
          joined: known?.joined ?? claimTime(fact),
          leftBy: noOne,
          moved: fact.recordedtime,
        });
        return [];
      }
      case 'postern.principal.claimed.v1': {
        const known = this.principals.get(fact.data.principal);
        const attributes = this.claims.apply(fact, known);
        if (known === undefined) return [];
        const gone = known.state === 'left' && fact.data.claim.kind === 'left';
        this.principals.set(known.id, {
          ...known,
          attributes,
          leftBy: gone ? saidBy(known.leftBy, fact) : known.leftBy,
        });
        return [];
      }
      case 'postern.principal.left.v1': {
        const id = fact.data.principal;
        const known = this.principals.get(id);
        const attributes = this.claims.apply(fact, known);
        const joined = known?.joined ?? claimTime(fact);
        this.principals.set(id, {
          id,
          attributes,
          state: 'left',
          since: entry.sequence,
          joined,
          leftBy: saidBy([], fact),
        });
        return this.#leave(id, claimTime(fact));
      }
      case 'postern.session.revoked.v1':
        this.sessionsRevokedBefore.set(fact.data.principal, Date.parse(fact.data.before));
        return [];
      case 'postern.group.changed.v1':
        return toMemberships(this.groups.change(fact.data.group, fact.data.add, fact.data.remove, edgeTime(fact)));
      case 'postern.group.claimed.v1': {
        const { group, add, remove: removed, deleted } = fact.data;
        const at = edgeTime(fact);
        if (deleted) this.groups.claimDeleted(group, at);
        else this.groups.claimChanged(group, at);
        for (const member of removed) this.groups.claim(group, member, 'out', at);
        for (const member of add) this.groups.claim(group, member, 'in', at);
        return [];
      }
      case 'postern.group.deleted.v1': {
        const subject = `${fact.data.group}#member` as SubjectId;
        return [
          ...toMemberships(this.groups.delete(fact.data.group, edgeTime(fact))),
          ...this.#dropGrantsOf(subject),
          ...this.#dropRelationsOf(subject, edgeTime(fact)),
        ];
      }
      case 'postern.role.defined.v1':
      case 'postern.role.changed.v1':
        return this.#defineRole(fact.data.role, fact.data.rules);
      case 'postern.role.retired.v1':
        return this.#retireRole(fact.data.role);
      case 'postern.grant.issued.v1': {
        const { grant, subject, role, conditions, origin, reason, ticket, request, approvals, replaces } = fact.data;
        this.grants.set(grant, {
          id: grant,
          subject,
          role,
          ...(conditions && { conditions }),
          origin,
          reason,
          issuedAt: entry.sequence,
          issued: fact.recordedtime,
          by: fact.authid,
          ...(ticket !== undefined && { ticket }),
          ...(request !== undefined && { request }),
          ...(approvals !== undefined && { approvals }),
          ...(replaces !== undefined && { replaces }),
        });
        addTo(this.#grantsBySubject, subject, grant);
        return this.#holding(role, subject);
      }
      case 'postern.grant.revoked.v1':
      case 'postern.grant.expired.v1': {
        if (!this.#dropGrant(fact.data.grant)) return [];
        return this.#holding(fact.data.role, fact.data.subject);
      }
      case 'postern.object.related.v1': {
        const { object, relation, subject, reason } = fact.data;
        const source = { fact: entry.sequence, by: fact.authid, ...(reason !== undefined && { reason }) };
        return [touch(this.objects.add({ resource: object, relation, subject }, source, edgeTime(fact)))];
      }
      case 'postern.object.unrelated.v1': {
        const { object, relation, subject } = fact.data;
        const edge = { resource: object, relation, subject };
        return this.objects.delete(edge, edgeTime(fact)) ? [remove(edge)] : [];
      }
      case 'postern.object.claimed.v1': {
        const { object, relation, subject, is } = fact.data;
        const edge = { resource: object, relation, subject };
        this.objects.claim(edge, is === 'related' ? 'in' : 'out', edgeTime(fact));
        return [];
      }
      case 'postern.credential.issued.v1': {
        const { credential, owner, digest, until } = fact.data;
        this.#setCredential({
          id: credential,
          owner,
          digest,
          ...(until !== undefined && { until }),
          issued: fact.recordedtime,
          by: fact.authid,
        });
        addTo(this.#credentialsByOwner, owner, credential);
        return [touch({ resource: credential, relation: 'owner', subject: owner })];
      }
      case 'postern.credential.rotated.v1': {
        const { credential, successor, until } = fact.data;
        const live = this.credentials.get(credential);
        if (live !== undefined) this.#setCredential({ ...live, successor, until });
        return [];
      }
      case 'postern.credential.expiring.v1': {
        const live = this.credentials.get(fact.data.credential);
        if (live !== undefined) this.#setCredential({ ...live, warned: true });
        return [];
      }
      case 'postern.credential.revoked.v1':
      case 'postern.credential.expired.v1':
        return this.#dropCredential(fact.data.credential);
      case 'postern.schema.published.v1': {
        const { text, part, parts } = fact.data;
        this.#openParts.text = part === 1 ? text : this.#openParts.text + text;
        if (part === parts) {
          this.schema = this.#openParts.text;
          this.#openParts.text = '';
        }
        return [];
      }
      case 'postern.routes.published.v1': {
        const { service, mount, endpoints, part, parts } = fact.data;
        this.#openParts.endpoints = part === 1 ? [...endpoints] : [...this.#openParts.endpoints, ...endpoints];
        if (part !== parts) return [];
        const published = this.#openParts.endpoints;
        this.#openParts.endpoints = [];
        return this.#publishRoutes({ name: service, mount, endpoints: published });
      }
      case 'postern.grant.requested.v1':
      case 'postern.grant.approved.v1':
      case 'postern.grant.denied.v1':
      case 'postern.grant.withdrawn.v1':
      case 'postern.grant.unanswered.v1':
      case 'postern.birthright.withheld.v1':
      case 'postern.breakglass.opened.v1':
      case 'postern.breakglass.closed.v1':
      case 'postern.breakglass.reviewed.v1':
      case 'postern.review.opened.v1':
      case 'postern.review.listed.v1':
      case 'postern.review.decided.v1':
      case 'postern.review.reminded.v1':
      case 'postern.review.escalated.v1':
      case 'postern.review.closed.v1':
        // They change nothing in the graph; `life` has taken them in.
        return [];
      case 'postern.event.scheduled.v1':
      case 'postern.event.unscheduled.v1':
      case 'postern.event.quarantined.v1':
      case 'postern.event.released.v1':
        this.inbox.apply(fact);
        return [];
      case 'postern.event.noted.v1':
      case 'postern.enforcement.reached.v1':
      case 'postern.enforcement.late.v1':
      case 'postern.audit.read.v1':
      case 'postern.logging.started.v1':
      case 'postern.logging.stopped.v1':
      case 'postern.logging.degraded.v1':
        return [];
      default:
        return assertNever(fact);
    }
  }

  /** Every relationship that the facts so far mean: what the graph must hold, whole. */
  *relationships(): Generator<Relationship> {
    for (const group of this.groups.names())
      for (const principal of this.groups.inside(group))
        yield { resource: group, relation: 'member', subject: principal };
    for (const { id, owner } of this.credentials.values()) yield { resource: id, relation: 'owner', subject: owner };
    for (const [role, rules] of this.roles) yield* roleEdges(role, rules);
    for (const service of this.services.values()) yield* routeEdges(service);
    yield* this.objects.all();
    const seen = new Set<string>();
    for (const { role, subject } of this.grants.values()) {
      const key = `${role} ${subject}`;
      if (seen.has(key)) continue;
      seen.add(key);
      for (const { operation, relationship } of this.#holding(role, subject))
        if (operation === 'touch') yield relationship;
    }
  }

  /** The one relationship of a role and a subject: the union of all live grants between them, or none. */
  #holding(role: RoleName, subject: SubjectId): RelationshipUpdate[] {
    const live = this.grantsOf(subject).filter((grant) => grant.role === role);
    const edge = { resource: `role:${role}`, relation: 'holder', subject };
    if (live.length === 0 || !this.roles.has(role)) return [remove(edge)];
    const alternatives: Conditions[] = [];
    for (const { conditions } of live) {
      if (conditions === undefined || Object.keys(conditions).length === 0) return [touch(edge)];
      alternatives.push(conditions);
    }
    // In one order whatever the order of grants, so that two histories with the same outcome give the same graph.
    const ordered = [...new Map(alternatives.map((each) => [canonicalJson(each), each])).entries()].sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
    return [touch({ ...edge, anyOf: ordered.map(([, each]) => each) })];
  }

  #leave(principal: PrincipalId, at: ClaimTime): RelationshipUpdate[] {
    // The fact alone ends all access: whoever left holds nothing, whether or not its grants were listed and revoked beside it.
    const updates = [
      ...this.#dropGrantsOf(principal),
      ...this.#dropRelationsOf(principal, at),
      ...toMemberships(this.groups.leave(principal, at)),
    ];
    for (const { id } of this.credentialsOf(principal)) updates.push(...this.#dropCredential(id));
    return updates;
  }

  #setCredential(credential: Credential): void {
    this.credentials.set(credential.id, credential);
    this.credentialsByDigest.set(credential.digest, credential);
  }

  #dropCredential(credential: CredentialId): RelationshipUpdate[] {
    const live = this.credentials.get(credential);
    if (live === undefined) return [];
    this.credentials.delete(credential);
    this.credentialsByDigest.delete(live.digest);
    this.#credentialsByOwner.get(live.owner)?.delete(credential);
    return [
      remove({ resource: credential, relation: 'owner', subject: live.owner }),
      ...this.#dropGrantsOf(credential),
      ...this.#dropRelationsOf(credential),
    ];
  }

  /** Whoever is no more stands in no relation either, or the next one of that name would inherit it. */
  #dropRelationsOf(subject: string, at?: ClaimTime): RelationshipUpdate[] {
    return this.objects.deleteOf(subject, at).map(remove);
  }

  #dropGrantsOf(subject: SubjectId): RelationshipUpdate[] {
    const roles = new Set<RoleName>();
    for (const grant of this.grantsOf(subject)) {
      this.#dropGrant(grant.id);
      roles.add(grant.role);
    }
    return [...roles].flatMap((role) => this.#holding(role, subject));
  }

  #dropGrant(id: GrantId): boolean {
    const grant = this.grants.get(id);
    if (grant === undefined) return false;
    this.grants.delete(id);
    this.#grantsBySubject.get(grant.subject)?.delete(id);
    return true;
  }

  #defineRole(role: RoleName, rules: RoleRules): RelationshipUpdate[] {
    const before = this.roles.get(role);
    this.roles.set(role, rules);
    return difference(before ? [...roleEdges(role, before)] : [], [...roleEdges(role, rules)]);
  }

  #retireRole(role: RoleName): RelationshipUpdate[] {
    const rules = this.roles.get(role);
    if (rules === undefined) return [];
    const subjects = new Set(
      [...this.grants.values()].filter((grant) => grant.role === role).map((grant) => grant.subject),
    );
    for (const grant of [...this.grants.values()]) if (grant.role === role) this.#dropGrant(grant.id);
    this.roles.delete(role);
    return [
      ...difference([...roleEdges(role, rules)], []),
      ...[...subjects].flatMap((subject) => this.#holding(role, subject)),
      ...this.#dropRelationsOf(`role:${role}#holder`),
    ];
  }

  #publishRoutes(service: Service): RelationshipUpdate[] {
    const before = this.services.get(service.name);
    if (service.endpoints.length === 0) this.services.delete(service.name);
    else this.services.set(service.name, service);
    return difference(before ? [...routeEdges(before)] : [], [...routeEdges(service)]);
  }
}

const noOne: readonly string[] = [];
/** Who said it, where a command did and no other system. */
export const saidHere = 'here';
const saidBy = (
  others: readonly string[],
  { inboundsource = saidHere }: Pick<Fact, 'inboundsource'>,
): readonly string[] => (others.includes(inboundsource) ? others : [...others, inboundsource]);

const addTo = <Key, Value>(index: Map<Key, Set<Value>>, key: Key, value: Value): void => {
  const found = index.get(key);
  if (found) found.add(value);
  else index.set(key, new Set([value]));
};
