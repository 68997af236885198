/** The record: search the facts, open one, see its bytes, and have its proof checked in this browser. */
import { Alert, Anchor, Button, Group, Paper, Table, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { ask, askJson, queryText } from './api.ts';
import type { Found } from './now.tsx';
import { Listed, Moment, Rows } from './shown.tsx';
import { pinKey, pinnedKey, verifyFact } from './verify.ts';

type ShownFact = {
  readonly id: string;
  readonly type: string;
  readonly authid?: string;
  readonly recordedtime: string;
  readonly data: unknown;
};

export const RecordSearch = () => {
  const [query, setQuery] = useSearchParams();
  const filters = { subject: query.get('subject') ?? '', role: query.get('role') ?? '', type: query.get('type') ?? '' };
  const found = useQuery({
    queryKey: ['facts', filters],
    queryFn: () => askJson<Found<ShownFact>>(`/audit/facts${queryText({ ...filters, order: 'newest', limit: '100' })}`),
  });
  const items = found.data?.items ?? [];
  const field = (name: keyof typeof filters, label: string, placeholder: string) => (
    <TextInput
      label={label}
      placeholder={placeholder}
      value={filters[name]}
      onChange={(event) =>
        setQuery(new URLSearchParams(queryText({ ...filters, [name]: event.target.value })), { replace: true })
      }
    />
  );
  return (
    <>
      <Title order={1}>Record</Title>
      <Group my="md">
        {field('subject', 'Subject', 'user:bob')}
        {field('role', 'Role', 'payroll-reader')}
        {field('type', 'Type', 'postern.grant.issued.v1')}
      </Group>
      <Listed of={found} count={items.length} empty="No fact matches.">
        <Rows label="Facts" columns={['Fact', 'Recorded', 'Type', 'By', 'Content']}>
          {items.map(({ sequence, body }) => (
            <Table.Tr key={sequence}>
              <Table.Td>
                <Anchor component={Link} to={`/record/${sequence}`} underline="always">
                  {sequence}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <Moment at={body.recordedtime} />
              </Table.Td>
              <Table.Td>{body.type}</Table.Td>
              <Table.Td>{body.authid}</Table.Td>
              <Table.Td>{JSON.stringify(body.data).slice(0, 160)}</Table.Td>
            </Table.Tr>
          ))}
        </Rows>
      </Listed>
    </>
  );
};

export const OneFact = () => {
  const sequence = Number(useParams()['sequence']);
  const [key, setKey] = useState(pinnedKey());
  const bytes = useQuery({
    queryKey: ['entry', sequence],
    queryFn: () => ask(`/audit/log/facts/entry/${sequence - 1}`).then((response) => response.arrayBuffer()),
  });
  const verified = useMutation({ mutationFn: (entry: ArrayBuffer) => verifyFact(sequence, entry) });
  const fact = bytes.data === undefined ? undefined : new TextDecoder().decode(bytes.data);
  return (
    <>
      <Title order={1}>Fact {sequence}</Title>
      <Listed of={bytes} count={fact === undefined ? 0 : 1} empty="There is no such fact.">
        <Paper withBorder p="md" my="md">
          <Title order={2} size="h4">
            Its bytes
          </Title>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard */}
          <pre className="bytes" tabIndex={0}>
            {fact}
          </pre>
          <Button size="compact-sm" variant="default" onClick={() => void navigator.clipboard.writeText(fact ?? '')}>
            Copy
          </Button>
        </Paper>
        <Paper withBorder p="md">
          <Textarea
            label="The log’s verifier key, as somebody you trust gave it to you"
            description="Kept in this browser. The proof is checked here, against this key."
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
          <Group mt="sm">
            <Button
              onClick={() => {
                pinKey(key);
                if (bytes.data !== undefined) verified.mutate(bytes.data);
              }}
              loading={verified.isPending}
            >
              Pin and verify
            </Button>
          </Group>
          {verified.error && (
            <Alert color="red" mt="sm" role="alert" title="It could not be checked">
              {verified.error.message}
            </Alert>
          )}
          {verified.data && (
            <Alert
              color={verified.data.outcome === 'proven' ? 'green' : 'red'}
              mt="sm"
              role="status"
              title={verified.data.outcome === 'proven' ? 'Proven' : 'Not proven'}
            >
              {verified.data.said}
            </Alert>
          )}
        </Paper>
      </Listed>
    </>
  );
};
