/** Time: a slider over the whole log, what happened around the place it stands at, and the ways to look at everything as of then. */
import { Anchor, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import type { Found } from '../access/grants-at.ts';
import { FactLink } from '../access/ways.tsx';
import { askJson, queryText } from '../api.ts';
import { legible } from '../names.ts';
import { Listed, Moment } from '../shown.tsx';
import { SubPages, timePages } from '../sub-pages.tsx';
import { VirtualTable } from '../virtual-table.tsx';
import { type ShownFact, TimeBar, typeWords, useHead } from './time-bar.tsx';

/** Facts before the moment that are shown beside it. */
const before = 100;

export const Time = () => {
  const [query] = useSearchParams();
  const at = query.get('at') ?? '';
  const head = useHead();
  const asked = /^\d+$/.test(at) ? { to: at } : at === '' ? {} : { until: new Date(Date.parse(at) + 1).toISOString() };
  const found = useQuery({
    queryKey: ['facts-before', at],
    queryFn: () =>
      askJson<Found<ShownFact>>(`/audit/facts${queryText({ ...asked, order: 'newest', limit: String(before) })}`),
    placeholderData: (last) => last,
  });
  const items = found.data?.items ?? [];
  return (
    <>
      <SubPages title="Time" of={timePages} />
      <TimeBar />
      <Group my="sm">
        As of then:
        {(
          [
            ['/access', 'who can call what'],
            ['/access/matrix', 'services and roles'],
            ['/model', 'the model'],
          ] as const
        ).map(([path, name]) => (
          <Anchor key={path} component={Link} to={`${path}${queryText({ at })}`} underline="always">
            {name}
          </Anchor>
        ))}
        <Anchor
          component={Link}
          to={`/time/difference${queryText({ from: at === '' ? '1' : at, to: at === '' ? '' : String(head.data ?? '') })}`}
          underline="always"
        >
          what changed since
        </Anchor>
      </Group>
      <Listed of={found} count={items.length} empty="Nothing had happened yet.">
        <VirtualTable
          label="What had happened, the last first"
          rows={items}
          keyOf={({ id }) => id}
          columns={[
            { head: 'Fact', cell: ({ sequence }) => <FactLink fact={sequence} />, width: '7rem' },
            { head: 'Recorded', cell: ({ body }) => <Moment at={body.recordedtime} />, width: '13rem' },
            { head: 'What', cell: ({ body }) => typeWords(body.type) },
            { head: 'About', cell: ({ body }) => legible(body.subject ?? '') },
            { head: 'By', cell: ({ body }) => legible(body.authid ?? '') },
            { head: 'Reason', cell: ({ body }) => String(body.data['reason'] ?? ''), width: 'minmax(10rem, 2fr)' },
          ]}
        />
      </Listed>
    </>
  );
};
