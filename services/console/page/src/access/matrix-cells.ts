/** What a cell of the matrix says. */
import type { Endpoint, Service } from '@postern/schemas';
import type { NamedRole } from '../model/live-model.ts';

export type Cell = {
  /** How many endpoints of the service the role opens. */
  readonly opens: number;
  /** The widest class of access that the role has; `some` where it names endpoints one by one. */
  readonly kind: 'none' | 'some' | 'read' | 'write' | 'admin';
  readonly says: string;
};
export type Cells = {
  readonly services: readonly Service[];
  readonly roles: readonly NamedRole[];
  readonly at: (service: Service, role: NamedRole) => Cell;
};

const classes = ['read', 'write', 'admin'] as const;

export const cellOf = (
  service: Service,
  role: NamedRole,
  opened: (role: NamedRole, service: Service) => readonly Endpoint[],
): Cell => {
  const opens = opened(role, service).length;
  if (opens === 0) return { opens, kind: 'none', says: 'opens nothing' };
  const widest = classes.findLast((access) =>
    role.allows.some((each) => 'service' in each && each.service === service.name && each.access === access),
  );
  const of = `${opens} of ${service.endpoints.length} endpoints`;
  return widest === undefined
    ? { opens, kind: 'some', says: `opens ${of} by name` }
    : { opens, kind: widest, says: `opens ${of}, by ${widest}` };
};
