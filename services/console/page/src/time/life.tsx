/** A life: everything that the record says of one subject, from joining to leaving, in the order it happened. */
import { Anchor, Badge, Group, Timeline } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { Find } from '../access/find.tsx';
import type { Found } from '../access/grants-at.ts';
import { FactLink } from '../access/ways.tsx';
import { askJson, queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { legible } from '../names.ts';
import { Listed, Moment } from '../shown.tsx';
import { SubPages, timePages } from '../sub-pages.tsx';
import { type ShownFact, typeWords } from './time-bar.tsx';

const perPage = 200;

export const Life = () => {
  const [query, setQuery] = useSearchParams();
  const subject = query.get('subject') ?? '';
  const found = useInfiniteQuery({
    queryKey: ['life', subject],
    queryFn: ({ pageParam }) =>
      askJson<Found<ShownFact>>(
        `/audit/facts${queryText({ subject, order: 'oldest', limit: String(perPage), cursor: pageParam })}`,
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    enabled: subject !== '',
  });
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <SubPages title="Time" of={timePages} />
      <Group align="end" justify="space-between" mb="md">
        <Find
          label="Whose life"
          value={subject}
          kind=""
          onChoose={(name) => setQuery(new URLSearchParams({ subject: name }))}
        />
        {subject !== '' && <Evidence query={{ kind: 'facts', subject }} />}
      </Group>
      {subject === '' ? (
        <p>Find a person, a workload, a group or a key.</p>
      ) : (
        <Listed of={found} count={items.length} empty={`The record says nothing of ${subject}.`}>
          <Timeline bulletSize={18} lineWidth={2} active={items.length}>
            {items.map(({ id, sequence, body }) => (
              <Timeline.Item
                key={id}
                color={colorOf(body.type)}
                title={
                  <>
                    {typeWords(body.type)} <WhatTold body={body} />
                  </>
                }
              >
                <Moment at={body.recordedtime} /> by {legible(body.authid ?? '')} (<FactLink fact={sequence} />,{' '}
                <Anchor
                  component={Link}
                  to={`/access${queryText({ about: subject, at: String(sequence) })}`}
                  underline="always"
                  inherit
                >
                  access as of then
                </Anchor>
                )
                {body.time !== body.recordedtime && (
                  <>
                    , for <Moment at={body.time} />
                  </>
                )}
                {typeof body.data['reason'] === 'string' && <div>“{body.data['reason']}”</div>}
              </Timeline.Item>
            ))}
          </Timeline>
          {found.hasNextPage && (
            <button type="button" onClick={() => void found.fetchNextPage()}>
              What came then
            </button>
          )}
        </Listed>
      )}
    </>
  );
};

const colorOf = (type: string): string =>
  /\.(left|revoked|expired|deleted|retired)\.v\d+$/.test(type)
    ? 'red.8'
    : /\.(joined|issued|related)\.v\d+$/.test(type)
      ? 'green.8'
      : 'blue.8';

const told = ['role', 'group', 'endpoint', 'origin', 'outcome'] as const;
const WhatTold = ({ body: { data } }: { readonly body: ShownFact }) => (
  <>
    {told.map((name) => {
      const value = data[name];
      return typeof value === 'string' ? (
        <Badge key={name} variant="default" mr={4} tt="none">
          {name} {value}
        </Badge>
      ) : null;
    })}
  </>
);
