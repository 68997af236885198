/** One decision: what was asked and answered, why, the bytes of the batch that it is in, and their proof. */
import { Anchor, Group, Paper, Title } from '@mantine/core';
import { DecisionBatch, type DecisionRecord } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import type { FoundDecisions } from '../access/grants-at.ts';
import { FactLink } from '../access/ways.tsx';
import { ask, askJson, queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { legible } from '../names.ts';
import { Id, Listed, Moment } from '../shown.tsx';
import { Members } from './members.tsx';
import { Bytes } from './one-fact.tsx';
import { OutcomeBadge } from './outcome.tsx';
import { Proof } from './proof.tsx';
import { whyQuery } from './why-query.ts';

/** The row says where the batch lies; what is shown is read from the batch's own bytes. */
const load = async (id: string) => {
  const { items } = await askJson<FoundDecisions>(`/audit/decisions${queryText({ id })}`);
  const [row] = items;
  if (row === undefined) return null;
  const bytes = await (await ask(`/audit/log/decisions/entry/${row.index}`)).arrayBuffer();
  const text = new TextDecoder().decode(bytes);
  return { index: row.index, bytes, text, decision: decisionIn(text, id) };
};

const decisionIn = (
  text: string,
  id: string,
): { readonly decision: DecisionRecord; readonly instance: string } | undefined => {
  try {
    const batch = DecisionBatch.parse(JSON.parse(text));
    const decision = batch.decisions.find((each) => each.id === id);
    return decision === undefined ? undefined : { decision, instance: batch.instance };
  } catch {
    return undefined;
  }
};

export const OneDecision = () => {
  const id = useParams()['id'] ?? '';
  const found = useQuery({ queryKey: ['decision', id], queryFn: () => load(id) });
  const shown = found.data?.decision;
  return (
    <>
      <title>{`Decision ${id} · Postern`}</title>
      <Title order={1} size="h2">
        Decision <Id text={id} />
      </Title>
      <Listed of={found} count={found.data ? 1 : 0} empty="The record holds no such decision.">
        {shown === undefined ? (
          <p>The bytes that the record has it in do not hold it: what the search says of it is not what was signed.</p>
        ) : (
          <Told decision={shown.decision} instance={shown.instance} />
        )}
        {found.data && (
          <>
            <Bytes text={found.data.text} marked={shown === undefined ? '' : JSON.stringify(shown.decision)} />
            <Proof key={id} log="decisions" index={found.data.index} bytes={found.data.bytes} />
          </>
        )}
      </Listed>
    </>
  );
};

const Told = ({ decision, instance }: { readonly decision: DecisionRecord; readonly instance: string }) => {
  const { id, at, outcome, reason, principal, endpoint, method, path, sequence, ends, credential, ...more } = decision;
  const subject = credential ?? principal;
  return (
    <Paper withBorder p="md" my="md">
      <Members
        of={{
          outcome: <OutcomeBadge decision={decision} />,
          who: legible(principal ?? 'nobody'),
          credential,
          request: `${method} ${path}`,
          endpoint: endpoint ?? 'none',
          at: <Moment at={at} />,
          'by what was known at': sequence === undefined || sequence === 0 ? undefined : <FactLink fact={sequence} />,
          'decided by': instance,
          ...more,
          ends:
            ends === undefined ? undefined : (
              <Anchor component={Link} to={`/record/decisions/${encodeURIComponent(ends)}`} underline="always" inherit>
                {ends}
              </Anchor>
            ),
        }}
      />
      <Group mt="sm">
        {subject !== undefined && (
          <Anchor component={Link} to={`/access/why${queryText(whyQuery(decision))}`} underline="always">
            Why {outcome === 'allow' ? 'it passed' : 'it was refused'}
          </Anchor>
        )}
        <Evidence query={{ kind: 'decisions', id }} />
      </Group>
    </Paper>
  );
};
