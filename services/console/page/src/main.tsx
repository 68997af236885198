/** The console: signs in, then shows the pages that the graph lets this person see. */
import '@mantine/core/styles.css';
import './page.css';
import './shell.css';
import { MantineProvider } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { ApiFailure } from './api.ts';
import { App } from './app.tsx';

/** A session that ended is noticed by whatever is refused first. */
const noticeEnd = (error: Error): void => {
  if (error instanceof ApiFailure && error.status === 401)
    client.setQueryData(['session'], { principal: null, over: error.message });
};
const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEnd }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
  defaultOptions: {
    queries: {
      // Ours is no page that works without its gate: a browser that thinks it is offline may still reach this machine.
      networkMode: 'always',
      // A refusal stays one however often it is asked for.
      retry: (count, error) => count < 2 && !(error instanceof ApiFailure && error.status >= 400 && error.status < 500),
    },
    mutations: { networkMode: 'always' },
  },
});

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
