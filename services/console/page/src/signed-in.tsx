/** Where an issuer sends people back to: what it says is handed in, and taken out of the address at once. */
import { Alert, Anchor, Loader, Paper, Title } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { finishSignIn } from './session.ts';

/** Once for each answer of an issuer: a code counts once, however often React looks. */
let handedIn: { readonly query: string; readonly done: Promise<string> } | undefined;

export const SignedIn = ({ onDone }: { readonly onDone: () => void }) => {
  const navigate = useNavigate();
  const [query] = useState(() => window.location.search);
  const [failed, setFailed] = useState<string>();
  useEffect(() => {
    history.replaceState(history.state, '', window.location.pathname);
    if (handedIn?.query !== query) handedIn = { query, done: finishSignIn(query) };
    handedIn.done.then(
      (returnTo) => {
        void navigate(returnTo, { replace: true });
        onDone();
      },
      (error: Error) => setFailed(error.message),
    );
  }, [query, navigate, onDone]);
  return (
    <main>
      <Paper withBorder p="lg" className="sign-in">
        <Title order={1} size="h2" mb="md">
          Postern
        </Title>
        {failed === undefined ? (
          <Loader aria-label="Signing in" />
        ) : (
          <Alert color="red" role="alert" title="You are not signed in">
            {failed}
            <p>
              <Anchor href="/.postern/console/" underline="always">
                Begin anew
              </Anchor>
            </p>
          </Alert>
        )}
      </Paper>
    </main>
  );
};
