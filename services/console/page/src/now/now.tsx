/** Now: what the gates decide, what they refuse and why, who enforces, and how the record stands; all of it followed. */
import { Alert, Badge, Group, Paper, SegmentedControl, Select, Switch, Title } from '@mantine/core';
import type { DecisionRecord, RefusalCause } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { Found } from '../access/grants-at.ts';
import { askJson, queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { useMay } from '../may.ts';
import { DebouncedInput } from '../record/debounced-input.tsx';
import { decisionColumns } from '../record/record.tsx';
import { Listed } from '../shown.tsx';
import { VirtualTable } from '../virtual-table.tsx';
import { Causes } from './causes.tsx';
import { Enforcing } from './enforcing.tsx';
import { Flow } from './flow.tsx';
import { type Live, useLive } from './live.ts';
import { useEnforcement, usePulse } from './pulse.ts';
import { Standing } from './standing.tsx';

const names = ['outcome', 'subject', 'service', 'endpoint'] as const;
const firstRows = 500;
const posternService = 'postern';
const said: Readonly<Record<Live['state'], string>> = {
  connecting: 'connecting',
  following: 'live',
  'broken-off': 'broken off, trying again',
  paused: 'paused',
};

export const Now = () => {
  const may = useMay();
  const [query, setQuery] = useSearchParams();
  const [follow, setFollow] = useState(true);
  const minutes = query.get('minutes') ?? '60';
  const filters = Object.fromEntries(names.map((name) => [name, query.get(name) ?? '']));
  const reason = query.get('reason') ?? '';
  const set = (changed: Readonly<Record<string, string>>) =>
    setQuery(
      new URLSearchParams(
        queryText({ minutes: query.get('minutes') ?? '', own: query.get('own') ?? '', ...filters, reason, ...changed }),
      ),
      {
        replace: true,
      },
    );
  const pulse = usePulse(minutes, follow, may('getPulse'));
  const enforcement = useEnforcement(follow, may('getEnforcement'));
  const first = useQuery({
    queryKey: ['decisions', filters],
    queryFn: () =>
      askJson<Found<DecisionRecord>>(
        `/audit/decisions${queryText({ ...filters, order: 'newest', limit: String(firstRows) })}`,
      ),
    gcTime: 0,
  });
  const live = useLive(filters, first.data?.items, {
    follow: follow && may('followDecisions'),
    reload: async () => (await first.refetch()).data?.items ?? [],
  });
  const own =
    query.get('own') === 'yes' || filters['service'] === posternService || filters['endpoint']?.startsWith('postern/');
  const rows = useMemo(
    () =>
      live.rows.filter(
        ({ body }) =>
          (reason === '' || (body.reason ?? body.observed) === reason) &&
          // Whoever looks would see themself looking.
          (own || body.outcome !== 'allow' || body.service !== posternService),
      ),
    [live.rows, reason, own],
  );
  const show = ({ reason: because, endpoint, observed }: RefusalCause) =>
    set({ reason: because, endpoint: endpoint ?? '', outcome: observed ? 'allow' : '' });
  return (
    <>
      <title>Now · Postern</title>
      <Group justify="space-between" mb="xs">
        <Title order={1} size="h2">
          Now
        </Title>
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label="How far back"
            data={[
              { value: '15', label: '15 min' },
              { value: '60', label: '1 hour' },
              { value: '360', label: '6 hours' },
              { value: '1440', label: '1 day' },
            ]}
            value={minutes}
            onChange={(value) => set({ minutes: value })}
          />
          <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
        </Group>
      </Group>
      <Standing pulse={pulse.data} enforcement={enforcement.data} live={follow} />
      {pulse.error && (
        <Alert color="red" role="alert" title="The counts could not be loaded" mb="md">
          {pulse.error.message}
        </Alert>
      )}
      {pulse.data !== undefined && (
        <Paper withBorder p="md" mb="md">
          <Flow pulse={pulse.data} minutes={Number(minutes)} />
          {pulse.data.behind && <p>More decisions are in the record than were counted for this picture.</p>}
        </Paper>
      )}
      <div className="two">
        {pulse.data !== undefined && <Causes causes={pulse.data.causes} onFilter={show} />}
        {enforcement.data !== undefined && <Enforcing enforcement={enforcement.data} />}
      </div>
      <Group justify="space-between" mt="md">
        <Title order={2} size="h4">
          Decisions <Badge color={live.state === 'following' ? 'green.9' : 'gray.8'}>{said[live.state]}</Badge>
        </Title>
        <Evidence query={{ kind: 'decisions', ...filters }} />
      </Group>
      <Group my="sm" align="end">
        <Select
          label="Outcome"
          data={['allow', 'deny', 'unavailable']}
          value={filters['outcome'] || null}
          onChange={(value) => set({ outcome: value ?? '' })}
          placeholder="any"
          clearable
          clearButtonProps={{ 'aria-label': 'Any outcome' }}
          comboboxProps={{ withinPortal: false }}
          w="9rem"
        />
        <DebouncedInput
          label="Subject"
          placeholder="user:bob"
          value={filters['subject'] ?? ''}
          onChange={(value) => set({ subject: value })}
        />
        <DebouncedInput
          label="Endpoint"
          placeholder="payroll/listEmployees"
          value={filters['endpoint'] ?? ''}
          onChange={(value) => set({ endpoint: value })}
        />
        <DebouncedInput
          label="Reason"
          placeholder="no-grant"
          value={reason}
          onChange={(value) => set({ reason: value })}
        />
        <Switch
          label="Postern’s own API too"
          checked={own === true}
          onChange={(event) => set({ own: event.currentTarget.checked ? 'yes' : '' })}
        />
      </Group>
      {live.error && (
        <Alert color="yellow" role="alert" title="Decisions are not followed at the moment" mb="sm">
          {live.error.message}
        </Alert>
      )}
      <Listed of={first} count={rows.length} empty="No decision matches; one that comes will show here.">
        <VirtualTable
          label="Decisions"
          rows={rows}
          keyOf={({ index, id }) => `${index} ${id}`}
          columns={decisionColumns}
        />
      </Listed>
    </>
  );
};
