/** Who enforces what, and how long the last revocations took to reach each proxy. */
import { Badge, Paper, Table, Title } from '@mantine/core';
import { useMemo } from 'react';
import { FactLink } from '../access/ways.tsx';
import { Chart, type Series } from '../chart.tsx';
import { Moment, Rows } from '../shown.tsx';
import { typeWords } from '../time/time-bar.tsx';
import { type Enforcement, lasting } from './pulse.ts';

const colors = { serving: 'green.9', starting: 'yellow.9', stopped: 'gray.8', lapsed: 'red.9' } as const;
const shownMax = 5;

export const Enforcing = ({ enforcement: { sequence, proxies, takenAway } }: { readonly enforcement: Enforcement }) => {
  const drawn = useMemo(() => chartOf(takenAway), [takenAway]);
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h4" mb="xs">
        From revocation to enforcement
      </Title>
      {drawn.at.length === 0 ? (
        <p>No access was taken away since this gate’s grants room started.</p>
      ) : (
        <Chart
          label="ms until a proxy enforces it"
          says={drawn.says}
          at={drawn.at}
          series={drawn.series}
          unit=" ms"
          height={150}
          spanSeconds={drawn.span}
        />
      )}
      <ul className="plain">
        {proxies.map(({ instance, state, enforces, heardMsAgo }) => (
          <li key={instance}>
            <Badge color={colors[state]}>{state}</Badge> <code>{instance}</code>{' '}
            {enforces >= sequence ? 'enforces everything' : `is ${sequence - enforces} facts behind`}, heard{' '}
            {lasting(heardMsAgo)} ago
          </li>
        ))}
        {proxies.length === 0 && <li>No proxy was heard of yet.</li>}
      </ul>
      {takenAway.length > 0 && (
        <Rows label="The last revocations" columns={['Fact', 'What', 'Recorded', 'Slowest']}>
          {takenAway.slice(0, shownMax).map((each) => (
            <Table.Tr key={each.sequence}>
              <Table.Td>
                <FactLink fact={each.sequence} />
              </Table.Td>
              <Table.Td>
                {typeWords(each.type)} {each.subject}
              </Table.Td>
              <Table.Td>
                <Moment at={each.recorded} />
              </Table.Td>
              <Table.Td>
                {each.waitingFor.length > 0
                  ? `waiting for ${each.waitingFor.join(', ')}`
                  : lasting(Math.max(0, ...Object.values(each.reached)))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Rows>
      )}
    </Paper>
  );
};

const palette = ['--series-1', '--series-2', '--series-3', '--series-4'] as const;

const chartOf = (takenAway: Enforcement['takenAway']) => {
  const changes = takenAway.toReversed();
  const at = changes.map(({ recorded }) => Date.parse(recorded) / 1_000);
  const instances = [...new Set(changes.flatMap(({ reached }) => Object.keys(reached)))].sort();
  const series = instances.map(
    (instance, place): Series => ({
      label: instance,
      color: palette[place % palette.length] ?? palette[0],
      values: changes.map(({ reached }) => reached[instance] ?? 0),
      kind: 'points',
    }),
  );
  const all = changes.flatMap(({ reached }) => Object.values(reached));
  return {
    at,
    series,
    // A single one stands in its minute, and not in all of time.
    span: [(at[0] ?? 0) - 30, (at.at(-1) ?? 0) + 30] as const,
    says: `${changes.length} changes that took access away; a proxy took ${lasting(Math.max(0, ...all))} at most.`,
  };
};
