/** Who decides, as the gate asserts it: the person, the key they came with, and whoever acts in their name. */
import { type AssertionClaims, caller } from '@postern/runtime';
import { CredentialId } from '@postern/schemas';
import type { FastifyRequest } from 'fastify';
import type { Deciding } from '../decide/command.ts';

export const decidingOf = (request: FastifyRequest): Deciding => {
  const { sub, credential, act } = caller(request);
  const key = CredentialId.safeParse(credential);
  return { principal: sub, through: chainOf(act), ...(key.success && { credential: key.data }) };
};

/** RFC 8693 §4.1: an actor may itself be acted for. One that cannot be read is an actor all the same. */
const chainOf = (act: AssertionClaims['act']): string[] => {
  if (act === undefined) return [];
  if (typeof act !== 'object' || act === null) return ['an actor that is not named'];
  const { sub, act: further } = act as { sub?: unknown; act?: unknown };
  return [typeof sub === 'string' ? sub : 'an actor that is not named', ...chainOf(further)];
};
