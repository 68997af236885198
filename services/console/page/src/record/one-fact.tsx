/** One fact: what it says, what it changed, its bytes, and its proof. */
import { Anchor, Button, Group, Paper, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { ask, queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { legible } from '../names.ts';
import { Id, Listed, Moment } from '../shown.tsx';
import { type ShownFact, typeWords } from '../time/time-bar.tsx';
import { Members } from './members.tsx';
import { Proof } from './proof.tsx';

export const OneFact = () => {
  const sequence = Number(useParams()['sequence']);
  const bytes = useQuery({
    queryKey: ['entry', 'facts', sequence - 1],
    queryFn: () => ask(`/audit/log/facts/entry/${sequence - 1}`).then((response) => response.arrayBuffer()),
  });
  const text = bytes.data === undefined ? undefined : new TextDecoder().decode(bytes.data);
  const fact = parsed(text);
  return (
    <>
      <title>{`Fact ${sequence} · Postern`}</title>
      <Group justify="space-between">
        <Title order={1} size="h2">
          Fact {sequence}
          {fact !== undefined && <>: {typeWords(fact.type)}</>}
        </Title>
        <Group gap="xs">
          {sequence > 1 && (
            <Anchor component={Link} to={`/record/facts/${sequence - 1}`} underline="always">
              before
            </Anchor>
          )}
          <Anchor component={Link} to={`/record/facts/${sequence + 1}`} underline="always">
            after
          </Anchor>
        </Group>
      </Group>
      <Listed of={bytes} count={text === undefined ? 0 : 1} empty="There is no such fact.">
        {fact === undefined ? (
          <p>Its bytes are no fact that this version can read; they are shown and proven all the same.</p>
        ) : (
          <Paper withBorder p="md" my="md">
            <Members
              of={{
                about: fact.subject === undefined ? undefined : legible(fact.subject),
                by: fact.authid,
                recorded: fact.recordedtime === undefined ? undefined : <Moment at={fact.recordedtime} />,
                'for the time':
                  fact.time === undefined || fact.time === fact.recordedtime ? undefined : <Moment at={fact.time} />,
                id: fact.id === undefined ? undefined : <Id text={fact.id} />,
                ...fact.data,
              }}
            />
            <Group mt="sm">
              <Anchor
                component={Link}
                to={`/time/difference${queryText({ from: String(sequence - 1), to: String(sequence) })}`}
                underline="always"
              >
                What it changed
              </Anchor>
              {fact.subject !== undefined && (
                <Anchor component={Link} to={`/time/life${queryText({ subject: fact.subject })}`} underline="always">
                  The life of {fact.subject}
                </Anchor>
              )}
              {fact.id !== undefined && <Evidence query={{ kind: 'facts', id: fact.id }} />}
            </Group>
          </Paper>
        )}
        <Bytes text={text ?? ''} />
        {bytes.data !== undefined && <Proof key={sequence} log="facts" index={sequence - 1} bytes={bytes.data} />}
      </Listed>
    </>
  );
};

const parsed = (text: string | undefined): (Partial<ShownFact> & Pick<ShownFact, 'type'>) | undefined => {
  try {
    const fact = JSON.parse(text ?? '') as ShownFact;
    return typeof fact.type === 'string' ? fact : undefined;
  } catch {
    return undefined;
  }
};

/** As they are, with a part of them marked. */
export const Bytes = ({ text, marked = '' }: { readonly text: string; readonly marked?: string }) => {
  const at = marked === '' ? -1 : text.indexOf(marked);
  return (
    <Paper withBorder p="md">
      <Group justify="space-between">
        <Title order={2} size="h4">
          Its bytes
        </Title>
        <Button size="compact-sm" variant="default" onClick={() => void navigator.clipboard.writeText(text)}>
          Copy
        </Button>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard */}
      <pre className="bytes" tabIndex={0}>
        {at < 0 ? (
          text
        ) : (
          <>
            {text.slice(0, at)}
            <mark>{marked}</mark>
            {text.slice(at + marked.length)}
          </>
        )}
      </pre>
    </Paper>
  );
};
