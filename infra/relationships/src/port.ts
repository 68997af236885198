/**
 * The relationship engine: SpiceDB, as a server or inside this process. It is a projection of the facts and can be thrown away
 * and rebuilt. The comments are promises; conformance.ts keeps them for every backend.
 */
import type { Context, ContextField, Relationship, RelationshipUpdate, Sequence } from '@postern/schemas';

/** "At least as fresh as": opaque, of one datastore only, so it is never written into a fact. */
export type Zookie = string & { readonly zookie: unique symbol };

export interface Relationships extends AsyncDisposable {
  /** Replaces the schema. Rejects with `authorizer/schema-refused`, naming the engine's reason, and changes nothing then. */
  writeSchema(schema: string): Promise<Zookie>;

  /** Where the projection stands in this engine; `sequence` is 0 for an empty one. Fully consistent. */
  reached(): Promise<Reached>;

  /**
   * Applies the updates and moves the checkpoint from `from` to `to`, in one transaction as far as the engine's limit of 1,000
   * updates a call allows: of more, the checkpoint moves with the last part. Updates are idempotent, so a repetition after a crash
   * is harmless. `lost`: the checkpoint is not at `from`, because another projector was faster; nothing was written.
   * Of several updates of one relationship the last one counts. `from` may equal `to`, to mend what differs there: then a
   * projector that is in the middle of a larger write from the same place loses it, and has to begin it again.
   * `facts` (ids) and `actor` go into the engine's transaction metadata.
   * Rejects with `authorizer/relationship-refused`, naming the engine's reason, where its schema does not know a relationship.
   */
  project(
    projection: Projection,
  ): Promise<{ readonly outcome: 'written'; readonly reached: Reached } | { readonly outcome: 'lost' }>;

  /**
   * Asks many questions on one snapshot that is at least as fresh as `zookie` (fully consistent without one). Answers in order. A
   * bad context value fails its own item alone. Rejects with `authorizer/engine-unreachable`.
   */
  check(items: readonly CheckItem[], zookie?: Zookie): Promise<readonly Verdict[]>;

  /**
   * As {@link check}, on a snapshot in which the projection stands exactly at `at`; `moved` where it does not, whoever moved it, and
   * wherever several writes have just left from. So an answer is of one model, and of the sequence that it is told to be of.
   */
  checkAt(items: readonly CheckItem[], at: Reached): Promise<readonly Verdict[] | 'moved'>;

  /** Every relationship, but for the projection's own checkpoint; in no order. Fully consistent. */
  read(): AsyncIterable<Relationship>;

  /** Subjects of `subjectType` that hold `permission` on `resource` (under conditions or not). */
  subjects(query: { resource: string; permission: string; subjectType: string }, zookie?: Zookie): AsyncIterable<Found>;
  /** Resources of `resourceType` on which `subject` holds `permission` (under conditions or not). */
  resources(
    query: { subject: string; permission: string; resourceType: string },
    zookie?: Zookie,
  ): AsyncIterable<Found>;

  /** Rejects with `authorizer/engine-unreachable` unless the engine answers now. */
  ping(): Promise<void>;
}

/** The state that the engine is in by a move of the projection: another one after each. */
export type Place = string & { readonly place: unique symbol };
export type Reached = {
  readonly sequence: Sequence;
  readonly zookie: Zookie;
  /** Undefined on the way: several writes have left from here, and what lies between them is nothing to decide on. */
  readonly place: Place | undefined;
};

export type Projection = {
  readonly from: Sequence;
  readonly to: Sequence;
  readonly updates: readonly RelationshipUpdate[];
  readonly facts: readonly string[];
  readonly actor: string;
  /**
   * Whether the projection is on its way afterwards: true before and between several writes that belong together. By default it has
   * arrived where it moved, and is as it was where `from` equals `to`.
   */
  readonly onTheWay?: boolean;
};

export type CheckItem = {
  readonly resource: string;
  readonly permission: string;
  readonly subject: string;
  readonly context?: CheckContext;
};

/** The gate's context, and what a published schema's own caveats declare besides: other parameters are passed as they are. */
export type CheckContext = Partial<Context> & { readonly [parameter: string]: unknown };

export type Verdict =
  | { readonly verdict: 'has' }
  | { readonly verdict: 'has-not' }
  /** It depends on these fields, which the question did not give. */
  | {
      readonly verdict: 'depends';
      /** Each field once, in the order of `contextFields`. */
      readonly on: readonly ContextField[];
      /** Further parameters of a published schema's own caveats; the gate never has them. Absent where there are none. */
      readonly parameters?: readonly string[];
    }
  /** The engine could not judge this item: a bad context value, an object that its schema does not know. */
  | {
      readonly verdict: 'failed';
      readonly why: string;
      /** The schema in force defines no such type or permission: nobody holds it. */
      readonly unknown?: true;
    };

export type Found = { readonly id: string; readonly conditional: boolean };
