/** What is around every page: where one can go, who one is, and what has to be seen wherever one is. */

import { Alert, Button, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Navigate, NavLink, Route, Routes } from 'react-router';
import { Connection } from './connection.tsx';
import { Telling } from './deciding/change.tsx';
import { OpenGlass } from './deciding/open-glass.tsx';
import { forgetDrafts } from './drafts.ts';
import { legible } from './names.ts';
import { seeRoutes } from './see-pages.tsx';
import { nobody, type Pages, type Session, signOut } from './session.ts';
import { Loading } from './shown.tsx';

const Deciding = lazy(async () => ({ default: (await import('./deciding/deciding.tsx')).Deciding }));
const names = [
  ['now', 'Now'],
  ['access', 'Access'],
  ['time', 'Time'],
  ['deciding', 'Deciding'],
  ['model', 'Model'],
  ['record', 'Record'],
] as const satisfies readonly (readonly [keyof Pages, string])[];

export const Shell = ({ session, pages }: { readonly session: Session; readonly pages: Pages }) => {
  const client = useQueryClient();
  const { toggleColorScheme } = useMantineColorScheme();
  const out = useMutation({
    mutationFn: () => signOut(session),
    onSuccess: () => {
      forgetDrafts();
      client.clear();
      client.setQueryData(['session'], nobody);
      window.location.assign('/.postern/console/');
    },
  });
  const offered = names.filter(([page]) => pages[page]);
  const [first] = offered;
  return (
    <div className="shell">
      <a className="skip" href="#content">
        To the content
      </a>
      <header className="bar">
        <strong>Postern</strong>
        <nav aria-label="Pages">
          {offered.map(([page, name]) => (
            <NavLink key={page} to={`/${page}`}>
              {name}
            </NavLink>
          ))}
        </nav>
        <span className="who">
          <bdi>{legible(session.principal ?? '')}</bdi>
        </span>
        <Button size="compact-sm" variant="default" onClick={toggleColorScheme}>
          Dark or light
        </Button>
        <Button size="compact-sm" variant="default" loading={out.isPending} onClick={() => out.mutate()}>
          Sign out
        </Button>
      </header>
      <Connection />
      {out.error && (
        <Alert color="red" role="alert" title="You are signed out here, and perhaps not everywhere yet" m="md">
          {out.error.message}
        </Alert>
      )}
      <Telling>
        {pages.deciding && <OpenGlass />}
        <main id="content" tabIndex={-1}>
          {first === undefined ? (
            <Alert color="yellow" title="None of these pages is yours to see">
              You, or your key, hold no role that opens one. The role postern-auditor reads the record; postern-member
              asks for roles and answers.
            </Alert>
          ) : (
            <Suspense fallback={<Loading />}>
              <Routes>
                {seeRoutes(pages)}
                {pages.deciding && <Route path="/deciding/*" element={<Deciding />} />}
                <Route path="*" element={<Navigate to={`/${first[0]}`} replace />} />
              </Routes>
            </Suspense>
          )}
        </main>
      </Telling>
    </div>
  );
};
