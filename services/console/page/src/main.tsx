/** The console: signs in, then shows the pages that the graph lets this person see. */
import '@mantine/core/styles.css';
import './page.css';
import { Alert, Button, Loader, MantineProvider, useMantineColorScheme } from '@mantine/core';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { BrowserRouter, Navigate, NavLink, Route, Routes } from 'react-router';
import { ApiFailure } from './api.ts';
import { Deciding } from './deciding.tsx';
import { seeRoutes } from './see-pages.tsx';
import { type Pages, pagesOf, type Session, signOut, whoAmI } from './session.ts';
import { SignIn } from './sign-in.tsx';

const client = new QueryClient({
  defaultOptions: {
    // A refusal stays one however often it is asked for.
    queries: {
      retry: (count, error) => count < 2 && !(error instanceof ApiFailure && error.status >= 400 && error.status < 500),
    },
  },
});
// A session that ended is noticed by whichever question is refused first.
client.getQueryCache().subscribe(({ query }) => {
  const { error } = query.state;
  if (error instanceof ApiFailure && error.status === 401 && query.queryKey[0] !== 'session')
    client.setQueryData(['session'], { principal: null });
});

const App = () => {
  const session = useQuery({ queryKey: ['session'], queryFn: whoAmI });
  const signedIn = session.data?.principal != null;
  const pages = useQuery({
    queryKey: ['pages', session.data],
    queryFn: () => pagesOf(session.data ?? { principal: null }),
    enabled: signedIn,
  });
  const error = session.error ?? (signedIn ? pages.error : null);
  if (error)
    return (
      <Alert color="red" role="alert" title="The console cannot be shown">
        {error.message}
      </Alert>
    );
  if (session.data === undefined) return <Loader aria-label="Loading" />;
  if (!signedIn) return <SignIn onDone={() => void client.resetQueries()} />;
  if (pages.data === undefined) return <Loader aria-label="Loading" />;
  return <Shell session={session.data} pages={pages.data} />;
};

const Shell = ({ session, pages }: { readonly session: Session; readonly pages: Pages }) => {
  const { toggleColorScheme } = useMantineColorScheme();
  const first = pages.now
    ? '/now'
    : pages.access
      ? '/access'
      : pages.record
        ? '/record'
        : pages.deciding
          ? '/deciding'
          : undefined;
  const out = () =>
    void signOut().then(() => {
      client.clear();
      client.setQueryData(['session'], { principal: null });
      location.reload();
    });
  return (
    <div className="shell">
      <header className="bar">
        <strong>Postern</strong>
        <nav aria-label="Pages">
          {pages.now && <NavLink to="/now">Now</NavLink>}
          {pages.access && <NavLink to="/access">Access</NavLink>}
          {pages.time && <NavLink to="/time">Time</NavLink>}
          {pages.deciding && <NavLink to="/deciding">Deciding</NavLink>}
          {pages.model && <NavLink to="/model">Model</NavLink>}
          {pages.record && <NavLink to="/record">Record</NavLink>}
        </nav>
        <span className="who">{session.principal}</span>
        <Button size="compact-sm" variant="default" onClick={toggleColorScheme}>
          Dark or light
        </Button>
        <Button size="compact-sm" variant="default" onClick={out}>
          Sign out
        </Button>
      </header>
      <main>
        {first === undefined ? (
          <Alert color="yellow" title="None of these pages is yours to see">
            Your key, or its owner, holds no role that reads the record. The role postern-auditor does.
          </Alert>
        ) : (
          <Routes>
            {seeRoutes(pages)}
            {pages.deciding && <Route path="/deciding" element={<Deciding />} />}
            <Route path="*" element={<Navigate to={first} replace />} />
          </Routes>
        )}
      </main>
    </div>
  );
};

const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    // Mantine would write its variables into style elements, which the policy forbids; its style sheet holds the same ones.
    <MantineProvider
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
      deduplicateCssVariables={false}
    >
      <QueryClientProvider client={client}>
        <BrowserRouter basename="/.postern/console">
          <App />
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>,
  );
