/** What this person may ask Postern's API for: the graph is asked once a session, so that nothing is offered that would be refused. */
import { useQuery } from '@tanstack/react-query';
import { ApiFailure, send } from './api.ts';
import { type Session, whoAmI } from './session.ts';

const asked = [
  'findFacts',
  'findDecisions',
  'followDecisions',
  'getPulse',
  'asOf',
  'exportEvidence',
  'askQuestion',
  'findLastUses',
  'proveFact',
  'proveEntry',
  'getEntry',
  'proveConsistency',
  'getModel',
  'findNames',
  'getEnforcement',
  'listGrants',
  'listQuarantine',
  'listScheduled',
  'listSignalStreams',
  'listNotices',
  'report',
  'can',
] as const;
export type Operation = (typeof asked)[number];
type Rights = ReadonlySet<Operation>;

/** False until it is known. */
export const useMay = (): ((operation: Operation) => boolean) => {
  const session = useQuery({ queryKey: ['session'], queryFn: whoAmI });
  const { data } = useQuery({
    queryKey: ['may', session.data],
    queryFn: () => rightsOf(session.data ?? { principal: null }),
    enabled: session.data?.principal != null,
    staleTime: 60_000,
  });
  return (operation) => data?.has(operation) === true;
};

const rightsOf = async ({ principal, credential }: Session): Promise<Rights> => {
  const name = credential ?? principal ?? '';
  const at = name.indexOf(':');
  try {
    const { evaluations } = await send<{ evaluations: { decision: boolean }[] }>('/access/v1/evaluations', {
      subject: { type: name.slice(0, at), id: name.slice(at + 1) },
      action: { name: 'call' },
      evaluations: asked.map((each) => ({ resource: { type: 'endpoint', id: `postern/${each}` } })),
    });
    return new Set(asked.filter((_, place) => evaluations[place]?.decision === true));
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 403) return new Set();
    throw error;
  }
};
