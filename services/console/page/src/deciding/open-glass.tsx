/** Said on every page while it lasts: that this person has broken the glass, for how much longer, and the way to give it back. */
import { Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useBreakGlass, useMayDecide } from './asked.ts';
import { useChange } from './change.tsx';

export const OpenGlass = () => {
  const may = useMayDecide();
  const glass = useBreakGlass(may('listMyBreakGlass'));
  const back = useChange<{ readonly id: string }>(
    ({ id }) => ({ path: `/breakglass/${encodeURIComponent(id)}/close`, body: {} }),
    () => 'You gave it back. It stays on the list until somebody has looked at it.',
  );
  const open = (glass.data?.used ?? []).filter(({ live, closed }) => live && closed === undefined);
  return open.map(({ id, role, until }) => (
    <section key={id} className="open-glass" aria-label="Broken glass">
      <span>
        The glass is broken: you hold <bdi>{role}</bdi> for another <Left until={until} />. Everybody who watches can
        see it.
      </span>
      {may('closeBreakGlass') && (
        <Button size="compact-sm" color="dark" loading={back.isPending} onClick={() => back.mutate({ id })}>
          Give it back
        </Button>
      )}
      {back.error && <span role="alert">{back.error.message}</span>}
    </section>
  ));
};

/** Minutes and seconds, as they run out. */
const Left = ({ until }: { readonly until: string }) => {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(ticking);
  }, []);
  const seconds = Math.max(0, Math.floor((Date.parse(until) - now) / 1_000));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  const two = (count: number) => String(count).padStart(2, '0');
  return (
    <time dateTime={`PT${seconds}S`} className="left">
      {hours > 0 ? `${hours}:${two(minutes)}` : minutes}:{two(seconds % 60)}
    </time>
  );
};
