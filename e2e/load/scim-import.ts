/**
 * An identity system that brings an organisation by SCIM Bulk, and brings it again: what is there is compared page by page with what
 * should be, in the order of ids, so that neither side is ever held whole. What exists is replaced, what does not is created.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export type Size = { readonly people: number; readonly memberships: number; readonly groupSize?: number };
export type Progress = {
  readonly done: number;
  readonly of: number;
  readonly created: number;
  readonly failed: number;
};
export type Target = {
  readonly gate: string;
  readonly key: string;
  /** Resolves once the gate is there to be asked again. */
  readonly alive?: () => Promise<void>;
};

type Resource = { readonly externalId: string; readonly body: object };

const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const bulkUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
const padded = (n: number): string => String(n).padStart(8, '0');

export const groupsOf = ({ memberships, groupSize = 500 }: Size): number => Math.ceil(memberships / groupSize);

export function* people({ people: count }: Size): Generator<Resource> {
  for (let n = 0; n < count; n++) {
    const externalId = `p${padded(n)}`;
    yield {
      externalId,
      body: {
        schemas: [userUrn, enterpriseUrn],
        externalId,
        userName: `${externalId}@people.test`,
        name: { givenName: `Given${n % 997}`, familyName: `Family${n % 1009}` },
        emails: [{ value: `${externalId}@people.test`, type: 'work', primary: true }],
        active: true,
        title: `T${n % 40}`,
        [enterpriseUrn]: {
          employeeNumber: String(n),
          department: `D${n % 25}`,
          ...(n >= 10 && { manager: { value: `p${padded(Math.floor(n / 10))}` } }),
        },
      },
    };
  }
}

export function* groups(size: Size): Generator<Resource> {
  const { people: count, memberships, groupSize = 500 } = size;
  for (let n = 0; n < groupsOf(size); n++) {
    const externalId = `g${padded(n)}`;
    const members = Math.min(groupSize, memberships - n * groupSize, count);
    yield {
      externalId,
      body: {
        schemas: [groupUrn],
        externalId,
        displayName: `Group ${n}`,
        members: Array.from({ length: members }, (_, at) => ({
          value: `p${padded((n * 7919 + at) % count)}`,
          type: 'User',
        })),
      },
    };
  }
}

const ask = async (target: Target, path: string, body?: object): Promise<Record<string, unknown>> => {
  for (;;) {
    await target.alive?.();
    try {
      const response = await fetch(`${target.gate}/.postern/scim/v2${path}`, {
        headers: { 'x-api-key': target.key, 'content-type': 'application/scim+json' },
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        ...(target.alive !== undefined && { signal: AbortSignal.timeout(20_000) }),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      if (response.status === 200) return answer;
      if (response.status < 500) throw new TypeError(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    } catch (error) {
      // An answer that refuses is one; that there is none is none, unless nothing can bring the gate back.
      if (target.alive === undefined || (error instanceof TypeError && error.message.startsWith('/'))) throw error;
    }
    await sleep(20);
  }
};

async function* existing(target: Target, collection: string): AsyncGenerator<string> {
  for (let cursor = ''; ; ) {
    const query = new URLSearchParams({ cursor, count: '1000', attributes: 'externalId' });
    const page = await ask(target, `/${collection}?${query}`);
    for (const { id } of page['Resources'] as { id: string }[]) yield id;
    if (typeof page['nextCursor'] !== 'string') return;
    cursor = page['nextCursor'];
  }
}

const bulkBytesMax = 3_000_000;
const bulkOperationsMax = 1_000;
const lanesMax = 2;

/** Brings everything; resolves with what was new. Operations that failed are counted and the first few told. */
export const bring = async (
  target: Target,
  size: Size,
  onProgress: (progress: Progress) => void = () => {},
): Promise<Progress & { readonly failures: readonly string[] }> => {
  const of = size.people + groupsOf(size);
  const progress = { done: 0, of, created: 0, failed: 0 };
  const failures: string[] = [];
  const send = async (operations: readonly object[]): Promise<void> => {
    if (operations.length === 0) return;
    const answer = await ask(target, '/Bulk', { schemas: [bulkUrn], Operations: operations });
    for (const { status, response } of answer['Operations'] as { status: string; response?: { detail?: string } }[]) {
      progress.done++;
      if (status === '201') progress.created++;
      else if (Number(status) >= 300) {
        progress.failed++;
        if (failures.length < 5) failures.push(`${status} ${response?.detail ?? ''}`);
      }
    }
    onProgress(progress);
  };
  for (const [collection, wanted] of [
    ['Users', people(size)],
    ['Groups', groups(size)],
  ] as const) {
    const there = existing(target, collection);
    let next = await there.next();
    let operations: object[] = [];
    let bytes = 0;
    // While one Bulk is carried out the next one is on its way.
    const lanes: Promise<void>[] = [];
    const begin = async (): Promise<void> => {
      if (lanes.length >= lanesMax) await lanes.shift();
      const sending = send(operations);
      sending.catch(() => {});
      lanes.push(sending);
      operations = [];
      bytes = 0;
    };
    for (const { externalId, body } of wanted) {
      while (next.done !== true && next.value < externalId) next = await there.next();
      const isThere = next.done !== true && next.value === externalId;
      const operation = isThere
        ? { method: 'PUT', path: `/${collection}/${externalId}`, data: body }
        : { method: 'POST', path: `/${collection}`, bulkId: externalId, data: body };
      const more = JSON.stringify(operation).length;
      if (operations.length >= bulkOperationsMax || bytes + more > bulkBytesMax) {
        await begin();
      }
      operations.push(operation);
      bytes += more;
    }
    await begin();
    await Promise.all(lanes);
  }
  return { ...progress, failures };
};
