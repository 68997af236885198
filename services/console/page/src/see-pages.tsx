/** The pages that show: each is loaded when it is looked at first. */
import './see.css';
import { type ComponentType, lazy, type ReactNode, Suspense } from 'react';
import { Navigate, Route, useParams } from 'react-router';
import { config } from 'zod/v4/core';
import type { SeePages } from './see-needed.ts';
import { Loading } from './shown.tsx';

// The policy lets no text become code, so zod must not try: before any schema is made.
config({ jitless: true });

const page = <Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name): ReactNode => {
  const Page = lazy(async (): Promise<{ default: ComponentType }> => ({ default: (await load())[name] }));
  return (
    <Suspense fallback={<Loading />}>
      <Page />
    </Suspense>
  );
};

const now = page(() => import('./now/now.tsx'), 'Now');
const access = page(() => import('./access/access.tsx'), 'Access');
const matrix = page(() => import('./access/matrix.tsx'), 'Matrix');
const why = page(() => import('./access/why.tsx'), 'Why');
const time = page(() => import('./time/time.tsx'), 'Time');
const difference = page(() => import('./time/difference.tsx'), 'Difference');
const life = page(() => import('./time/life.tsx'), 'Life');
const model = page(() => import('./model/model.tsx'), 'Model');
const preview = page(() => import('./model/preview.tsx'), 'Preview');
const record = page(() => import('./record/record.tsx'), 'RecordSearch');
const fact = page(() => import('./record/one-fact.tsx'), 'OneFact');
const decision = page(() => import('./record/one-decision.tsx'), 'OneDecision');

/** Links that were given away before there were decisions of one's own. */
const OldFact = () => <Navigate to={`/record/facts/${useParams()['sequence']}`} replace />;

export const seeRoutes = (pages: SeePages): ReactNode => [
  pages.now && <Route key="now" path="/now" element={now} />,
  pages.access && <Route key="access" path="/access" element={access} />,
  pages.access && <Route key="matrix" path="/access/matrix" element={matrix} />,
  pages.access && <Route key="why" path="/access/why" element={why} />,
  pages.time && <Route key="time" path="/time" element={time} />,
  pages.time && <Route key="difference" path="/time/difference" element={difference} />,
  pages.time && <Route key="life" path="/time/life" element={life} />,
  pages.model && <Route key="model" path="/model" element={model} />,
  pages.model && <Route key="preview" path="/model/preview" element={preview} />,
  pages.record && <Route key="record" path="/record" element={record} />,
  pages.record && <Route key="fact" path="/record/facts/:sequence" element={fact} />,
  pages.record && <Route key="decision" path="/record/decisions/:id" element={decision} />,
  pages.record && <Route key="old" path="/record/:sequence" element={<OldFact />} />,
];
