/** What the pages of Deciding ask Postern, and as what it answers. */
import type { AccessRequest, BreakGlassUse } from '@postern/schemas';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { askJson } from '../api.ts';
import { allowedOf, type Session, whoAmI } from '../session.ts';

export type Rule = { readonly approvers: readonly string[]; readonly approvals: number | 'all' };
export type Waiting = AccessRequest & { readonly rule?: Rule };
export type Against = { readonly code: string; readonly why: string };
export type Askable = {
  readonly role: string;
  readonly description?: string;
  readonly longest: string;
  readonly against?: Against;
  readonly extend?: { readonly grant: string; readonly until: string; readonly against?: Against };
  readonly waiting?: string;
  readonly breakGlass?: { readonly longest: string; readonly reviewers: readonly string[]; readonly against?: Against };
} & Rule;
export type Use = BreakGlassUse & { readonly live: boolean; readonly reviewers?: readonly string[] };
export type Item = {
  readonly grant: string;
  readonly subject: string;
  readonly role: string;
  readonly live: boolean;
  readonly conditions?: { readonly until?: string } & Readonly<Record<string, unknown>>;
  readonly cameAbout: {
    readonly as: string;
    readonly sequence: number;
    readonly at: string;
    readonly by: string;
    readonly reason?: string;
    readonly ticket?: string;
  };
  readonly lastUsed?: string;
};
export type Campaign = {
  readonly id: string;
  readonly title: string;
  readonly due: string;
  readonly undecided: 'keep' | 'revoke';
  readonly items: number;
  readonly open: number;
  readonly mine: readonly Item[];
};

const operations = [
  'listMyRequests',
  'listAskable',
  'askForRole',
  'approveRequest',
  'denyRequest',
  'withdrawRequest',
  'openBreakGlass',
  'listMyBreakGlass',
  'closeBreakGlass',
  'reviewBreakGlass',
  'listMyReviews',
  'decideReview',
  'openReview',
] as const;
export type Deciding = (typeof operations)[number];

const useRights = (): ReadonlySet<string> | undefined => {
  const session = useQuery<Session>({ queryKey: ['session'], queryFn: whoAmI });
  const { principal, credential } = session.data ?? {};
  return useQuery({
    queryKey: ['may-decide', principal, credential],
    queryFn: () => allowedOf(operations),
    enabled: principal != null,
    // Whoever is asked to sign in again still sees what was offered before.
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  }).data;
};
/** Nothing is offered that would be refused: the graph is asked about all of it at once. False until it has answered. */
export const useMayDecide = (): ((operation: Deciding) => boolean) => {
  const rights = useRights();
  return (operation) => rights?.has(operation) === true;
};
/** What is offered is known. */
export const useRightsKnown = (): boolean => useRights() !== undefined;

const everyMs = 10_000;

export const useRequests = () =>
  useQuery({
    queryKey: ['deciding', 'requests'],
    queryFn: () => askJson<{ asked: readonly Waiting[]; toApprove: readonly Waiting[] }>('/requests/mine'),
    refetchInterval: everyMs,
  });
export const useAskable = (enabled: boolean) =>
  useQuery({
    queryKey: ['deciding', 'askable'],
    queryFn: () => askJson<{ items: readonly Askable[] }>('/requests/askable'),
    refetchInterval: 3 * everyMs,
    enabled,
  });
export const useBreakGlass = (enabled: boolean) =>
  useQuery({
    queryKey: ['deciding', 'break-glass'],
    queryFn: () => askJson<{ used: readonly Use[]; toReview: readonly Use[] }>('/breakglass/mine'),
    refetchInterval: everyMs,
    enabled,
  });
export const useCampaigns = (enabled: boolean) =>
  useQuery({
    queryKey: ['deciding', 'reviews'],
    queryFn: () => askJson<{ items: readonly Campaign[] }>('/reviews/mine'),
    refetchInterval: 3 * everyMs,
    enabled,
  });

/** What of it is to be looked at anew after a change. */
export const decidingKey = ['deciding'] as const;

const words: Readonly<Record<string, string>> = { s: 'second', m: 'minute', h: 'hour', d: 'day' };
/** "8h" as "8 hours". */
export const inWords = (duration: string): string => {
  const count = duration.slice(0, -1);
  const word = words[duration.slice(-1)];
  return word === undefined ? duration : `${count} ${word}${count === '1' ? '' : 's'}`;
};
/** "manager", "1 of manager, role:security", "manager and owner". */
export const ruleInWords = ({ approvers, approvals }: Rule): string =>
  approvals === 'all'
    ? approvers.join(' and ')
    : approvers.length === 1 && approvals === 1
      ? approvers.join('')
      : `${approvals} of ${approvers.join(', ')}`;
