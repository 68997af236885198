/** The pages that show: each is loaded when it is looked at first. */
import { lazy, type ReactNode } from 'react';
import { Route } from 'react-router';
import type { SeePages } from './see-needed.ts';

const Now = lazy(async () => ({ default: (await import('./now.tsx')).Now }));
const Access = lazy(async () => ({ default: (await import('./access.tsx')).Access }));
const RecordSearch = lazy(async () => ({ default: (await import('./record.tsx')).RecordSearch }));
const OneFact = lazy(async () => ({ default: (await import('./record.tsx')).OneFact }));

export const seeRoutes = (pages: SeePages): ReactNode => [
  pages.now && <Route key="now" path="/now" element={<Now />} />,
  pages.access && <Route key="access" path="/access" element={<Access />} />,
  pages.record && <Route key="record" path="/record" element={<RecordSearch />} />,
  pages.record && <Route key="fact" path="/record/:sequence" element={<OneFact />} />,
];
