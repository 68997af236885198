/** What waits for this person's word: emergencies first, then requests, then campaigns. */
import { Alert, Anchor, Title } from '@mantine/core';
import { Link } from 'react-router';
import { Listed, Moment } from '../shown.tsx';
import { useBreakGlass, useCampaigns, useMayDecide, useRequests } from './asked.ts';
import { GlassToReview } from './break-glass.tsx';
import { WaitingRequest } from './waiting-request.tsx';

export const Inbox = () => {
  const may = useMayDecide();
  const requests = useRequests();
  const glass = useBreakGlass(may('listMyBreakGlass'));
  const campaigns = useCampaigns(may('listMyReviews'));
  const [waiting, toReview] = [requests.data?.toApprove ?? [], glass.data?.toReview ?? []];
  const open = campaigns.data?.items ?? [];
  const failed = [glass, campaigns].find(({ error }) => error !== null);
  return (
    <>
      {failed && (
        <Alert color="red" role="alert" title="Not all that waits for you could be loaded" my="md">
          {failed.error?.message}
        </Alert>
      )}
      {toReview.length > 0 && may('reviewBreakGlass') && (
        <section aria-label="Emergencies to look at">
          <Title order={2} size="h4">
            Emergencies to look at
          </Title>
          {toReview.map((use) => (
            <GlassToReview key={use.id} use={use} />
          ))}
        </section>
      )}
      {open.length > 0 && (
        <section aria-label="Reviews of access">
          <Title order={2} size="h4">
            Reviews of access
          </Title>
          <ul className="campaigns">
            {open.map(({ id, title, due, undecided, mine, items, open: left }) => (
              <li key={id}>
                <Anchor component={Link} to={`/deciding/reviews/${id}`} underline="always">
                  <bdi>{title}</bdi>
                </Anchor>
                <span>
                  <strong>{mine.length}</strong> for you to decide; {items - left} of {items} decided. Due{' '}
                  <Moment at={due} />; what nobody has decided by then is {undecided === 'keep' ? 'kept' : 'revoked'}.
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-label="Requests">
        <Title order={2} size="h4">
          Requests
        </Title>
        <Listed of={requests} count={waiting.length} empty="No request waits for your answer.">
          {waiting.map((request) => (
            <WaitingRequest key={request.id} request={request} />
          ))}
        </Listed>
      </section>
    </>
  );
};
