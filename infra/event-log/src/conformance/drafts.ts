/** Facts to append in tests: valid, and each with an id of its own. */
import { randomBytes } from 'node:crypto';
import type { FactDraft, PrincipalId } from '@postern/schemas';

/** A UUIDv7 whose time says nothing: here only its uniqueness counts. */
const uuid = (): string => {
  const hex = randomBytes(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
};

export const draft = (name: string, type = 'postern.principal.joined.v1'): FactDraft =>
  ({
    id: uuid(),
    source: '/postern/conformance',
    type,
    subject: `user:${name}`,
    time: '2026-01-01T00:00:00.000Z',
    recordedtime: '2026-01-01T00:00:00.000Z',
    correlationid: 'conformance',
    authtype: 'system',
    authid: 'postern/conformance',
    data: { principal: `user:${name}` as PrincipalId, attributes: {} },
    // A type that no version knows is a draft like any other to the log.
  }) as FactDraft;

export const drafts = (name: string, count: number): FactDraft[] =>
  Array.from({ length: count }, (_, index) => draft(`${name}-${index}`));

/** The same numbers for the same seed (mulberry32, public domain), so that a failed run can be run again. */
export const randomFrom = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};
