/** Now: what the gate decided last, refusals by cause, and how much of the log the signed head covers. */
import { Badge, Group, Paper, Select, Switch, Table, TextInput, Title } from '@mantine/core';
import type { DecisionRecord } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { askJson, queryText } from './api.ts';
import { Id, Listed, Moment, Rows } from './shown.tsx';

export type Found<Body> = {
  readonly items: readonly { readonly id: string; readonly sequence: number; readonly body: Body }[];
  readonly size: number;
  readonly checkpoint: string | null;
};

const colors = { allow: 'green.9', deny: 'red.9', unavailable: 'gray.8' } as const;

export const Now = () => {
  const [query, setQuery] = useSearchParams();
  const [live, setLive] = useState(true);
  const filters = {
    outcome: query.get('outcome') ?? '',
    subject: query.get('subject') ?? '',
    endpoint: query.get('endpoint') ?? '',
  };
  const set = (name: keyof typeof filters) => (value: string | null) =>
    setQuery(new URLSearchParams(queryText({ ...filters, [name]: value ?? '' })), { replace: true });
  const found = useQuery({
    queryKey: ['decisions', filters],
    queryFn: () =>
      askJson<Found<DecisionRecord>>(`/audit/decisions${queryText({ ...filters, order: 'newest', limit: '100' })}`),
    refetchInterval: live ? 2_000 : false,
  });
  const rows = found.data?.items.map(({ body }) => body) ?? [];
  const causes = new Map<string, number>();
  for (const { outcome, reason = 'unknown', endpoint = 'no endpoint' } of rows)
    if (outcome !== 'allow') causes.set(`${reason} at ${endpoint}`, (causes.get(`${reason} at ${endpoint}`) ?? 0) + 1);
  const size = found.data?.checkpoint?.split('\n')[1];
  return (
    <>
      <Title order={1}>Now</Title>
      <Group my="md" align="end">
        <Select
          label="Outcome"
          data={['allow', 'deny', 'unavailable']}
          value={filters.outcome || null}
          onChange={set('outcome')}
          placeholder="any"
          clearable
          clearButtonProps={{ 'aria-label': 'Any outcome' }}
        />
        <TextInput
          label="Subject"
          value={filters.subject}
          onChange={(event) => set('subject')(event.target.value)}
          placeholder="user:bob"
        />
        <TextInput
          label="Endpoint"
          value={filters.endpoint}
          onChange={(event) => set('endpoint')(event.target.value)}
          placeholder="payroll/listEmployees"
        />
        <Switch label="Follow" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
      </Group>
      <p>
        {found.data?.size ?? '…'} entries in the log of decisions; the signed head covers {size ?? 'none'}.
      </p>
      {causes.size > 0 && (
        <Paper withBorder p="md" mb="md">
          <Title order={2} size="h4">
            Refusals among these, by cause
          </Title>
          <ul>
            {[...causes]
              .sort(([, a], [, b]) => b - a)
              .slice(0, 8)
              .map(([cause, count]) => (
                <li key={cause}>
                  {count} × {cause}
                </li>
              ))}
          </ul>
        </Paper>
      )}
      <Listed of={found} count={rows.length} empty="No decision matches.">
        <Rows label="Decisions" columns={['When', 'Outcome', 'Who', 'Endpoint', 'Request', 'Decision']}>
          {rows.map((row) => (
            <Table.Tr key={row.id}>
              <Table.Td>
                <Moment at={row.at} />
              </Table.Td>
              <Table.Td>
                <Badge color={colors[row.outcome]}>{row.outcome}</Badge> {row.reason}
              </Table.Td>
              <Table.Td>{row.principal ?? 'nobody'}</Table.Td>
              <Table.Td>{row.endpoint ?? 'none'}</Table.Td>
              <Table.Td>
                {row.method} {row.path}
              </Table.Td>
              <Table.Td>
                <Id text={row.id} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Rows>
      </Listed>
    </>
  );
};
