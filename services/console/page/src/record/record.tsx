/** The record, searched: facts or decisions, any number of them, each with a page of its own. */
import { Anchor, Group, SegmentedControl, Select, TextInput } from '@mantine/core';
import type { DecisionRecord } from '@postern/schemas';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Found } from '../access/grants-at.ts';
import { FactLink } from '../access/ways.tsx';
import { askJson, queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { useMay } from '../may.ts';
import { legible } from '../names.ts';
import { Listed, Moment } from '../shown.tsx';
import { SubPages } from '../sub-pages.tsx';
import { type ShownFact, typeWords } from '../time/time-bar.tsx';
import { type Column, VirtualTable } from '../virtual-table.tsx';
import { DebouncedInput } from './debounced-input.tsx';
import { OutcomeBadge } from './outcome.tsx';

const perPage = 500;
type Log = 'facts' | 'decisions';
type FactRow = Found<ShownFact>['items'][number];
type DecisionRow = Found<DecisionRecord>['items'][number];

const filtersOf = {
  facts: [
    ['subject', 'Subject', 'user:bob'],
    ['role', 'Role', 'payroll-reader'],
    ['type', 'Type', 'postern.grant.issued.v1'],
    ['endpoint', 'Endpoint', 'payroll/listEmployees'],
  ],
  decisions: [
    ['subject', 'Subject', 'user:bob'],
    ['endpoint', 'Endpoint', 'payroll/listEmployees'],
    ['id', 'Decision', 'its id, from the response’s header'],
  ],
} as const;

export const RecordSearch = () => {
  const may = useMay();
  const [query, setQuery] = useSearchParams();
  const log: Log = query.get('log') === 'decisions' && may('findDecisions') ? 'decisions' : 'facts';
  const outcome = log === 'decisions' ? (query.get('outcome') ?? '') : '';
  const [since, until] = [query.get('since') ?? '', query.get('until') ?? ''];
  const wanted = Object.fromEntries(filtersOf[log].map(([name]) => [name, query.get(name) ?? '']));
  const filters: Readonly<Record<string, string>> = { ...wanted, outcome, since, until };
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value === '') next.delete(name);
    else next.set(name, value);
    setQuery(next, { replace: true });
  };
  const found = useInfiniteQuery({
    queryKey: ['record', log, filters],
    queryFn: ({ pageParam }) =>
      askJson<Found<ShownFact | DecisionRecord>>(
        `/audit/${log}${queryText({ ...filters, order: 'newest', limit: String(perPage), cursor: pageParam })}`,
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
  const { fetchNextPage, isFetchingNextPage } = found;
  const onEnd = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const items = found.isPlaceholderData ? [] : (found.data?.pages.flatMap((page) => page.items) ?? []);
  const size = found.data?.pages[0]?.size ?? 0;
  return (
    <>
      <SubPages title="Record" of={[['/record', 'Search']]} keep={[]}>
        <SegmentedControl
          size="xs"
          aria-label="Which log"
          data={[
            { value: 'facts', label: 'Facts' },
            ...(may('findDecisions') ? [{ value: 'decisions', label: 'Decisions' }] : []),
          ]}
          value={log}
          onChange={(value) => setQuery(new URLSearchParams({ log: value }))}
        />
      </SubPages>
      <Group align="end" mb="sm">
        {filtersOf[log].map(([name, label, placeholder]) => (
          <DebouncedInput
            key={name}
            label={label}
            placeholder={placeholder}
            value={query.get(name) ?? ''}
            onChange={(value) => set(name, value)}
          />
        ))}
        {log === 'decisions' && (
          <Select
            label="Outcome"
            data={['allow', 'deny', 'unavailable']}
            value={outcome || null}
            onChange={(value) => set('outcome', value ?? '')}
            placeholder="any"
            clearable
            clearButtonProps={{ 'aria-label': 'Any outcome' }}
            comboboxProps={{ withinPortal: false }}
            w="9rem"
          />
        )}
        {(['since', 'until'] as const).map((name) => (
          <TextInput
            key={name}
            type="datetime-local"
            label={name === 'since' ? 'Since (your time)' : 'Until (your time)'}
            defaultValue={localOf(query.get(name) ?? '')}
            onChange={(event) => set(name, instantOf(event.target.value))}
          />
        ))}
        <Evidence query={{ kind: log, ...filters }} />
      </Group>
      <Listed of={found} count={items.length} empty={log === 'facts' ? 'No fact matches.' : 'No decision matches.'}>
        <p>
          {items.length.toLocaleString()} {found.hasNextPage ? 'loaded so far, more as you scroll' : 'match'}; the log
          has {size.toLocaleString()} {log === 'facts' ? 'facts' : 'entries'}.
        </p>
        {log === 'facts' ? (
          <VirtualTable
            label="Facts"
            rows={items as FactRow[]}
            keyOf={({ id }) => id}
            columns={factColumns}
            onEnd={onEnd}
            more={found.hasNextPage}
          />
        ) : (
          <VirtualTable
            label="Decisions"
            rows={items as DecisionRow[]}
            keyOf={({ id, index }) => `${index} ${id}`}
            columns={decisionColumns}
            onEnd={onEnd}
            more={found.hasNextPage}
          />
        )}
      </Listed>
    </>
  );
};

const factColumns: readonly Column<FactRow>[] = [
  { head: 'Fact', cell: ({ sequence }) => <FactLink fact={sequence} />, width: '7rem' },
  { head: 'Recorded', cell: ({ body }) => <Moment at={body.recordedtime} />, width: '13rem' },
  { head: 'What', cell: ({ body }) => typeWords(body.type) },
  { head: 'About', cell: ({ body }) => legible(body.subject ?? '') },
  { head: 'By', cell: ({ body }) => legible(body.authid ?? '') },
  { head: 'Content', cell: ({ body }) => JSON.stringify(body.data).slice(0, 160), width: 'minmax(14rem, 3fr)' },
];

export const decisionColumns: readonly Column<Pick<DecisionRow, 'id' | 'body'>>[] = [
  { head: 'When', cell: ({ body }) => <Moment at={body.at} />, width: '13rem' },
  { head: 'Outcome', cell: ({ body }) => <OutcomeBadge decision={body} />, width: 'minmax(11rem, 1fr)' },
  { head: 'Who', cell: ({ body }) => legible(body.principal ?? 'nobody') },
  { head: 'Endpoint', cell: ({ body }) => body.endpoint ?? 'none', width: 'minmax(10rem, 1.2fr)' },
  { head: 'Request', cell: ({ body }) => `${body.method} ${body.path}`, width: 'minmax(12rem, 2fr)' },
  {
    head: 'Decision',
    cell: ({ id }) => (
      <Anchor component={Link} to={`/record/decisions/${encodeURIComponent(id)}`} underline="always" inherit>
        {id}
      </Anchor>
    ),
  },
];

/** `2026-03-01T14:00` of the viewer's zone; empty for what is no instant. */
const instantOf = (local: string): string => {
  const date = new Date(local);
  return local === '' || Number.isNaN(date.getTime()) ? '' : date.toISOString();
};
const localOf = (instant: string): string => {
  const date = new Date(instant);
  if (instant === '' || Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
