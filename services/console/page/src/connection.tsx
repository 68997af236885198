/** Says when the gate is away or slow, and when it is back: nobody has to guess why nothing happens. */
import { useIsFetching, useIsMutating, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiFailure } from './api.ts';

const slowAfterMs = 4_000;

export const Connection = () => {
  const client = useQueryClient();
  const [away, setAway] = useState<string>();
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ type, query }) => {
        if (type !== 'updated') return;
        const failed = query.state.error ?? query.state.fetchFailureReason;
        if (failed instanceof ApiFailure && (failed.status === 0 || failed.status >= 502)) setAway(failed.message);
        else if (query.state.status === 'success' && query.state.fetchStatus === 'idle') setAway(undefined);
      }),
    [client],
  );
  const asking = useIsFetching() + useIsMutating() > 0;
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!asking) {
      setSlow(false);
      return;
    }
    const late = setTimeout(() => setSlow(true), slowAfterMs);
    return () => clearTimeout(late);
  }, [asking]);
  const text =
    away !== undefined
      ? `${away} It is tried again by itself; what you type stays.`
      : slow
        ? 'The gate is slow to answer. Nothing is lost; it goes on as soon as it does.'
        : '';
  return (
    <p role="status" className={text === '' ? 'connection' : 'connection told'}>
      {text}
    </p>
  );
};
