/**
 * Where several operations share a method and path, the body says which of them are called. Only here is a body read before it is
 * judged, and then these octets go on and no others.
 */
import {
  type Endpoint,
  type EndpointId,
  type Match,
  type ObjectQuestion,
  objectText,
  type ProblemCode,
  type refusalReasons,
} from '@postern/schemas';
import { readWhole, type WholeBody } from './body.ts';
import { switchesProtocol } from './door.ts';
import { type Inspect, inspectedBytesMax, nameOf } from './inspect.ts';
import type { Passage } from './passage.ts';

export type FoundOperations =
  | { readonly outcome: 'called'; readonly passage: Passage; readonly called: readonly [Endpoint, ...Endpoint[]] }
  | {
      readonly outcome: 'refused';
      readonly code: ProblemCode;
      readonly reason: (typeof refusalReasons)[number];
      readonly detail?: string;
    };

export type OperationsDeps = {
  readonly inspect: Inspect;
  /** The size that the API behind this match takes. */
  readonly bodyBytesMax: (match: Match) => number;
  /** How long a body that is to be judged may take to come, in ms. */
  readonly bodyTimeoutMs?: number | undefined;
};

export type FindOperations = (
  passage: Passage,
  match: Match,
  operations: readonly Endpoint[],
) => FoundOperations | Promise<FoundOperations>;

const noBody = Buffer.alloc(0);
const noCredential = { outcome: 'refused', code: 'proxy/no-credential', reason: 'no-credential' } as const;

export const operationsFinder = ({ inspect, bodyBytesMax, bodyTimeoutMs }: OperationsDeps): FindOperations => {
  const inspected = (passage: Passage, match: Match): FoundOperations => {
    const inspection = inspect(match, passage.read, passage.body ?? noBody);
    if (inspection.outcome === 'refused') return unclear(`${inspection.why}.`);
    if (inspection.outcome === 'undeclared')
      return passage.caller === undefined
        ? noCredential
        : {
            outcome: 'refused',
            code: 'proxy/denied',
            reason: 'no-such-endpoint',
            detail: notAllowed(inspection.name),
          };
    const { called, lists, objectsOf } = inspection;
    const objects: string[] = [];
    for (const endpoint of called) {
      const named = objectsOf(endpoint);
      if (named.outcome === 'unsafe') return unclear(`The request names no object in one way only: ${named.why}.`);
      if (named.outcome === 'unknown')
        return { outcome: 'refused', code: 'proxy/cannot-decide', reason: 'cannot-decide', detail: `${named.why}.` };
      objects.push(...named.objects.map(objectText));
    }
    return {
      outcome: 'called',
      called,
      passage: {
        ...passage,
        match: { ...match, endpoint: called[0] },
        called,
        lists,
        objectsOf,
        ...(objects.length > 0 && { objects }),
      },
    };
  };
  return (passage, match, operations) => {
    const { caller, read, door, body } = passage;
    // Whoever may call nothing here is not waited for.
    if (caller === undefined && !operations.some((each) => each.public === true)) return noCredential;
    if (door.kind === 'upgrade' || switchesProtocol(door))
      return {
        outcome: 'refused',
        code: 'proxy/ambiguous-request',
        reason: 'ambiguous-request',
        detail: 'This endpoint does not switch protocols.',
      };
    if (door.kind === 'asked')
      return door.body === undefined
        ? unclear('The gateway did not send the body, which says what is called.')
        : inspected({ ...passage, body: door.body }, match);
    if (body !== undefined || read.body.kind === 'none') return inspected(passage, match);
    const { req, res, expectsContinue } = door;
    if (expectsContinue) res.writeContinue();
    const bytesMax = Math.min(inspectedBytesMax, bodyBytesMax(match));
    return readWhole(req, read, bytesMax, bodyTimeoutMs).then((whole) => {
      if (whole.outcome === 'read') return inspected({ ...passage, body: whole.bytes }, match);
      // Nothing else that comes on this connection could be told from the rest of this body.
      if (whole.outcome === 'too-slow' && req.httpVersionMajor < 2) res.setHeader('connection', 'close');
      return unread(whole.outcome, bytesMax);
    });
  };
};

const unclear = (detail: string): FoundOperations => ({
  outcome: 'refused',
  code: 'proxy/unclear-operation',
  reason: 'ambiguous-request',
  detail,
});

const unread = (why: Exclude<WholeBody['outcome'], 'read'>, bytesMax: number): FoundOperations =>
  why === 'too-large'
    ? {
        outcome: 'refused',
        code: 'proxy/body-too-large',
        reason: 'ambiguous-request',
        detail: `The limit is ${bytesMax} bytes where the body says what is called.`,
      }
    : unclear('The body did not come.');

/** The same words for what is not declared and what is not granted. */
const notAllowed = (name: string): string => `${name} is not among what you may call here.`;

export const operationRefused = ({ called }: Passage): { readonly detail?: string } => {
  const operation = called?.[0].operation;
  return operation === undefined ? {} : { detail: notAllowed(nameOf(operation)) };
};

/** Every endpoint that the request calls. */
export const endpointsOf = ({ match, called }: Passage): readonly Endpoint[] =>
  called ?? (match === undefined ? [] : [match.endpoint]);

/** What an operation that was found asks for besides itself. */
export const objectsNamed = (
  { objectsOf }: Pick<Passage, 'objectsOf'>,
  endpoint: Endpoint,
): readonly ObjectQuestion[] => {
  const named = objectsOf?.(endpoint);
  return named?.outcome === 'named' ? named.objects : [];
};

/** A refusal is about the operation that is refused. */
export const refusedFirst = (passage: Passage, refused: EndpointId | undefined): Passage => {
  const { match, called } = passage;
  const first = called?.find(({ id }) => id === refused);
  if (match === undefined || called === undefined || first === undefined) return passage;
  const others = called.filter((each) => each !== first);
  return { ...passage, match: { ...match, endpoint: first }, called: [first, ...others] };
};
