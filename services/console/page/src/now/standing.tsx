/** How things stand, each in one place: what came in and was set aside, what is signed, who enforces. Red is what somebody has to look at. */
import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { askJson } from '../api.ts';
import { useMay } from '../may.ts';
import { type Enforcement, type Head, lasting, type Pulse } from './pulse.ts';

/** An entry that waits longer for a signature is one that nobody signs any more. */
const unsignedMs = 30_000;

export const Standing = ({
  pulse,
  enforcement,
  live,
}: {
  readonly pulse: Pulse | undefined;
  readonly enforcement: Enforcement | undefined;
  readonly live: boolean;
}) => {
  const may = useMay();
  const every = live ? 15_000 : (false as const);
  const quarantine = useQuery({
    queryKey: ['quarantine'],
    queryFn: () => askJson<{ items: readonly unknown[] }>('/feeds/quarantine'),
    refetchInterval: every,
    enabled: may('listQuarantine'),
  });
  const scheduled = useQuery({
    queryKey: ['scheduled'],
    queryFn: () => askJson<{ items: readonly unknown[] }>('/feeds/scheduled'),
    refetchInterval: every,
    enabled: may('listScheduled'),
  });
  const notices = useQuery({
    queryKey: ['notices'],
    queryFn: () => askJson<{ items: readonly { name: string; state?: string }[] }>('/notices'),
    refetchInterval: every,
    enabled: may('listNotices'),
  });
  const signals = useQuery({
    queryKey: ['signals'],
    queryFn: () => askJson<{ items: readonly { name: string }[] }>('/ssf/streams'),
    refetchInterval: every,
    enabled: may('listSignalStreams'),
  });
  const serving = enforcement?.proxies.filter(({ state }) => state === 'serving') ?? [];
  const behind = serving.filter(({ enforces }) => enforces < (enforcement?.sequence ?? 0));
  const lapsed = enforcement?.proxies.filter(({ state }) => state === 'lapsed') ?? [];
  return (
    <dl className="standing">
      {enforcement !== undefined && (
        <Tile
          name="Proxies"
          alarm={serving.length === 0 || lapsed.length > 0}
          value={`${serving.length} serving`}
          says={
            lapsed.length > 0
              ? `${lapsed.length} silent`
              : behind.length > 0
                ? `${behind.length} catching up`
                : 'all at the head'
          }
        />
      )}
      {pulse !== undefined && (
        <>
          <Log name="Facts" head={pulse.logs.facts} now={pulse.now} to="/record" />
          <Log name="Decisions" head={pulse.logs.decisions} now={pulse.now} to="/record?log=decisions" />
        </>
      )}
      {quarantine.data && (
        <Tile
          name="Quarantine"
          alarm={quarantine.data.items.length > 0}
          value={String(quarantine.data.items.length)}
          says={quarantine.data.items.length === 0 ? 'every event was applied' : 'events that could not be applied'}
        />
      )}
      {scheduled.data && (
        <Tile name="Due later" value={String(scheduled.data.items.length)} says="events that wait for their time" />
      )}
      {notices.data && notices.data.items.length > 0 && (
        <Tile name="Notices" value={String(notices.data.items.length)} says="subscriptions" />
      )}
      {signals.data && signals.data.items.length > 0 && (
        <Tile name="Signals" value={String(signals.data.items.length)} says="transmitters of security events" />
      )}
    </dl>
  );
};

const Log = ({
  name,
  head: { size, sealed, at, waitsSince },
  now,
  to,
}: {
  readonly name: string;
  readonly head: Head;
  readonly now: string;
  readonly to: string;
}) => {
  const ageMs = at === null ? Number.POSITIVE_INFINITY : Date.parse(now) - Date.parse(at);
  const waitsMs = waitsSince === null ? 0 : Date.parse(now) - Date.parse(waitsSince);
  const open = size - sealed;
  return (
    <Tile
      name={name}
      alarm={open > 0 && waitsMs > unsignedMs}
      value={
        <Anchor component={Link} to={to} underline="always" inherit>
          {size.toLocaleString()}
        </Anchor>
      }
      says={
        at === null
          ? 'nothing is signed yet'
          : open > 0
            ? `${open.toLocaleString()} wait for a signature, ${lasting(Math.max(0, waitsMs))}`
            : `all signed, ${lasting(Math.max(0, ageMs))} ago`
      }
    />
  );
};

const Tile = ({
  name,
  value,
  says,
  alarm = false,
}: {
  readonly name: string;
  readonly value: ReactNode;
  readonly says: string;
  readonly alarm?: boolean;
}) => (
  <div className={alarm ? 'tile alarm' : 'tile'}>
    <dt>{name}</dt>
    <dd>
      <strong>{value}</strong>
      <span>
        {alarm && <span aria-hidden="true">▲ </span>}
        {says}
      </span>
    </dd>
  </div>
);
