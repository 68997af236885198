/** What this person may ask Postern's API for: the graph is asked once a session, so that nothing is offered that would be refused. */
import { useQuery } from '@tanstack/react-query';
import { allowedOf, whoAmI } from './session.ts';

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

/** False until it is known. */
export const useMay = (): ((operation: Operation) => boolean) => {
  const session = useQuery({ queryKey: ['session'], queryFn: whoAmI });
  const { data } = useQuery({
    queryKey: ['may', session.data],
    queryFn: () => allowedOf(asked),
    enabled: session.data?.principal != null,
    staleTime: 60_000,
  });
  return (operation) => data?.has(operation) === true;
};
