/** Deciding: what waits for this person, what they may ask for, and what they asked for and took. */
import './deciding.css';
import { Title } from '@mantine/core';
import { Navigate, NavLink, Route, Routes } from 'react-router';
import { Loading } from '../shown.tsx';
import { Ask } from './ask.tsx';
import { useBreakGlass, useCampaigns, useMayDecide, useRequests, useRightsKnown } from './asked.ts';
import { Campaign } from './campaign.tsx';

import { Inbox } from './inbox.tsx';
import { Mine } from './mine.tsx';

export const Deciding = () => {
  const may = useMayDecide();
  const known = useRightsKnown();
  const requests = useRequests();
  const glass = useBreakGlass(may('listMyBreakGlass'));
  const campaigns = useCampaigns(may('listMyReviews'));
  const waiting =
    (requests.data?.toApprove.length ?? 0) +
    (glass.data?.toReview.length ?? 0) +
    (campaigns.data?.items.reduce((sum, { mine }) => sum + mine.length, 0) ?? 0);
  // A page is there or not there only when that is known: else a link to it would lead elsewhere.
  if (!known) return <Loading />;
  return (
    <>
      <header className="sub">
        <Title order={1} size="h2">
          Deciding
        </Title>
        <nav aria-label="Deciding">
          <NavLink to="/deciding" end>
            Waits for you{waiting > 0 && <span className="count"> {waiting}</span>}
          </NavLink>
          {may('listAskable') && <NavLink to="/deciding/ask">Ask</NavLink>}
          <NavLink to="/deciding/mine">Yours</NavLink>
        </nav>
      </header>
      <Routes>
        <Route index element={<Inbox />} />
        {may('listAskable') && <Route path="ask" element={<Ask />} />}
        <Route path="mine" element={<Mine />} />
        {may('listMyReviews') && <Route path="reviews/:review" element={<Campaign />} />}
        <Route path="*" element={<Navigate to="/deciding" replace />} />
      </Routes>
    </>
  );
};
