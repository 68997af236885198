/** What this person asked for and took, and where each stands. */

import { Badge, Button, Title } from '@mantine/core';
import { legible } from '../names.ts';
import { Listed, Moment } from '../shown.tsx';
import { useBreakGlass, useMayDecide, useRequests, type Waiting } from './asked.ts';
import { Failed, useChange } from './change.tsx';

const colors = {
  open: 'blue.9',
  granted: 'green.9',
  denied: 'red.9',
  withdrawn: 'gray.7',
  unanswered: 'gray.7',
} as const;

export const Mine = () => {
  const may = useMayDecide();
  const requests = useRequests();
  const glass = useBreakGlass(may('listMyBreakGlass'));
  const asked = [...(requests.data?.asked ?? [])].reverse();
  const used = [...(glass.data?.used ?? [])].reverse();
  return (
    <>
      <Title order={2} size="h4" mt="md">
        What you asked for
      </Title>
      <Listed of={requests} count={asked.length} empty="You have asked for nothing yet.">
        <ul className="mine">
          {asked.map((each) => (
            <Asked key={each.id} request={each} />
          ))}
        </ul>
      </Listed>
      {may('listMyBreakGlass') && (
        <>
          <Title order={2} size="h4" mt="md">
            Emergencies
          </Title>
          <Listed of={glass} count={used.length} empty="You have broken no glass.">
            <ul className="mine">
              {used.map(({ id, role, opened, until, live, reason, review, reviewers = [] }) => (
                <li key={id}>
                  <Badge color={live ? 'red.9' : 'gray.7'}>{live ? 'open' : 'over'}</Badge>{' '}
                  <bdi>
                    <strong>{role}</strong>
                  </bdi>
                  , <Moment at={opened} /> until <Moment at={until} />: <q dir="auto">{reason}</q>{' '}
                  {review
                    ? `${legible(review.by)} found it ${review.verdict}: “${review.reason}”.`
                    : `Waits for the judgement of ${reviewers.join(', ')}.`}
                </li>
              ))}
            </ul>
          </Listed>
        </>
      )}
    </>
  );
};

const Asked = ({ request }: { readonly request: Waiting }) => {
  const { id, role, subject, requester, state, asked, answerBy, approvals, rule, ended } = request;
  const may = useMayDecide();
  const withdraw = useChange<void>(
    () => ({ path: `/requests/${encodeURIComponent(id)}/withdraw`, body: {} }),
    () => `You took your request for ${role} back. Nobody has to answer it any more.`,
  );
  return (
    <li>
      <Badge color={colors[state]}>{state}</Badge>{' '}
      <bdi>
        <strong>{role}</strong>
      </bdi>
      {subject !== requester && (
        <>
          {' '}
          for <bdi>{legible(subject)}</bdi>
        </>
      )}
      , asked <Moment at={asked} />.{' '}
      {state === 'open' && (
        <>
          {approvals.length === 0
            ? 'Nobody has said yes yet'
            : `Yes from ${approvals.map(({ by }) => legible(by)).join(', ')}`}
          {rule && `; ${rule.approvers.join(', ')} may`}. It lapses <Moment at={answerBy} />.{' '}
          {may('withdrawRequest') && (
            <Button size="compact-sm" variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
              Take it back
            </Button>
          )}
        </>
      )}
      {ended?.reason !== undefined && (
        <>
          {' '}
          <bdi>{legible(ended.by)}</bdi>: <q dir="auto">{ended.reason}</q>
        </>
      )}
      <Failed title="It was not taken back" error={withdraw.error} />
    </li>
  );
};
