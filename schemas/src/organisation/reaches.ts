/** Which endpoints a role's allowance opens: what gate.zed says, for those who explain, propose and count. */
import type { AccessClass, Allowance } from '../facts/role.ts';
import type { Endpoint } from '../routes/endpoint.ts';

/** A role's access to a service includes the smaller ones. */
const covers: Readonly<Record<AccessClass, readonly AccessClass[]>> = {
  read: ['read'],
  write: ['read', 'write'],
  admin: ['read', 'write', 'admin'],
};

export const opensEndpoint = (
  allowance: Allowance,
  service: string,
  { id, access, opaque }: Pick<Endpoint, 'id' | 'access' | 'opaque'>,
): boolean => {
  if ('endpoint' in allowance) return allowance.endpoint === id;
  if ('object' in allowance) return false;
  return opaque !== true && allowance.service === service && covers[allowance.access].includes(access);
};

export const opensObject = (
  allowance: Allowance,
  { resource, permission }: { readonly resource: string; readonly permission: string },
): boolean =>
  'object' in allowance &&
  allowance.permission === permission &&
  (allowance.object === resource || allowance.object === `${resource.slice(0, resource.indexOf(':'))}:*`);
