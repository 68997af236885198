/** The model as it is, or as it was: schema, services and roles; and which role opens which endpoint. */
import { type Endpoint, opensEndpoint, type RoleRules, type Service } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { momentQuery } from '../access/rights.ts';
import { askJson, queryText } from '../api.ts';

export type NamedRole = RoleRules & {
  readonly role: string;
  /** Live grants of it; known of now alone. */
  readonly grants?: number;
  readonly fromFiles?: boolean;
};
export type Model = {
  readonly sequence: number;
  readonly schema: string | null;
  readonly services: readonly Service[];
  readonly roles: readonly NamedRole[];
};
type Past = Omit<Model, 'sequence'> & { readonly moment: { readonly sequence: number } };

/** `at`: a sequence or an instant; empty for now. */
export const useModel = (at: string) =>
  useQuery({
    queryKey: ['model', at],
    queryFn: async (): Promise<Model> => {
      if (at === '') return askJson<Model>('/model');
      const { moment, ...past } = await askJson<Past>(
        `/audit/as-of${queryText({ model: 'whole', ...momentQuery(at) })}`,
      );
      return { ...past, sequence: moment.sequence };
    },
    staleTime: 10_000,
  });

export const endpointsOpened = ({ allows }: NamedRole, { name, endpoints }: Service): readonly Endpoint[] =>
  endpoints.filter((endpoint) => allows.some((allowance) => opensEndpoint(allowance, name, endpoint)));

/** `payroll: write`, `payroll/listEmployees`, `employee:*#view`. */
export const allowanceText = (allowance: NamedRole['allows'][number]): string =>
  'service' in allowance
    ? `${allowance.service}: ${allowance.access}`
    : 'endpoint' in allowance
      ? allowance.endpoint
      : `${allowance.object}#${allowance.permission}`;
