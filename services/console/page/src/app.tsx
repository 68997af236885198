/** Who looks, and what of it they are shown: the way in, the pages, or over the pages the way in again. */

import { Alert, Button, Loader, Paper, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { useLocation } from 'react-router';
import { Dialog } from './dialog.tsx';
import { forgetDrafts, Typist } from './drafts.ts';
import { legible } from './names.ts';
import { pagesOf, renewSession, type Session, whoAmI } from './session.ts';
import { Shell } from './shell.tsx';
import { WaysIn } from './sign-in.tsx';
import { SignedIn } from './signed-in.tsx';

const renewedBeforeEndMs = 120_000;
const lookedAtEveryMs = 20_000;

export const App = () => {
  const client = useQueryClient();
  const { pathname } = useLocation();
  const session = useQuery({ queryKey: ['session'], queryFn: whoAmI, refetchInterval: lookedAtEveryMs });
  /** Whoever was signed in last: their pages stay, with all that is typed, until they are back. */
  const [last, setLast] = useState<Session>();
  const now = session.data;
  const live = now?.principal != null;
  if (live && last !== now) setLast(now);
  const shown = live ? now : last;
  const pages = useQuery({
    queryKey: ['pages', shown?.principal, shown?.credential],
    queryFn: pagesOf,
    enabled: live,
    staleTime: 60_000,
  });
  const { refetch } = session;
  const renewed = useCallback(() => void refetch(), [refetch]);
  useRenewal(now, renewed);
  const back = useCallback(() => {
    setLast(undefined);
    void client.resetQueries();
  }, [client]);
  if (pathname === '/signed-in') return <SignedIn onDone={back} />;
  const error = session.error ?? (live ? pages.error : null);
  if (error && pages.data === undefined)
    return (
      <main>
        <Alert color="red" role="alert" title="The console cannot be shown">
          {error.message}{' '}
          <Button size="compact-sm" variant="default" onClick={() => void client.refetchQueries()}>
            Try again
          </Button>
        </Alert>
      </main>
    );
  if (now === undefined) return <Loader aria-label="Loading" m="md" />;
  if (shown?.principal == null)
    return (
      <main>
        <Paper withBorder p="lg" className="sign-in">
          <Title order={1} size="h2" mb="md">
            Postern
          </Title>
          <WaysIn onDone={back} />
        </Paper>
      </main>
    );
  if (pages.data === undefined) return <Loader aria-label="Loading" m="md" />;
  return (
    <Typist value={shown.principal}>
      <Shell key={shown.principal} session={shown} pages={pages.data} />
      {!live && <Again over={now.over} was={shown} />}
    </Typist>
  );
};

/** Over the page, which stays as it is. Somebody else who signs in here gets pages of their own, and sees nothing of this one. */
const Again = ({ over, was }: { readonly over: string | undefined; readonly was: Session }) => {
  const client = useQueryClient();
  const done = () => void client.invalidateQueries();
  return (
    <Dialog label="Your session has ended">
      <Title order={2} size="h3" mb="xs">
        Your session has ended
      </Title>
      <p>
        {over ?? 'It ran out, or was ended.'} What you typed stays where it is: sign in again as{' '}
        {legible(was.principal ?? '')}, and go on.
      </p>
      <WaysIn onDone={done} />
      <Button
        variant="subtle"
        fullWidth
        mt="sm"
        onClick={() => {
          forgetDrafts();
          window.location.reload();
        }}
      >
        Leave it, and forget what was typed
      </Button>
    </Dialog>
  );
};

/** Before it ends, where the issuer allows it. */
const useRenewal = (session: Session | undefined, onRenewed: () => void): void => {
  const { endsAt, renews } = session ?? {};
  useEffect(() => {
    if (renews !== true || endsAt === undefined) return;
    const left = Date.parse(endsAt) - Date.now();
    // Short ones at half of their time, so that none is renewed all the time.
    const wait = Math.max(left - renewedBeforeEndMs, left / 2, 1_000);
    const due = setTimeout(
      () => {
        // One that is not renewed ends when it ends, and says so then.
        renewSession(left - wait + 5_000).then(onRenewed, () => {});
      },
      Math.min(wait, 2_000_000_000),
    );
    return () => clearTimeout(due);
  }, [endsAt, renews, onRenewed]);
};
