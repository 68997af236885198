/** A use of break-glass that waits for this person's judgement. */

import { Button, Group, Paper, Textarea } from '@mantine/core';
import { useDraft } from '../drafts.ts';
import { legible } from '../names.ts';
import { Moment } from '../shown.tsx';
import type { Use } from './asked.ts';
import { everywhere, Failed, useChange } from './change.tsx';

export const GlassToReview = ({ use }: { readonly use: Use }) => {
  const { id, role, reason, ticket, opened, until, live, closed, as } = use;
  const subject = legible(use.subject);
  const [why, setWhy, clear] = useDraft(`glass ${id}`, '');
  const judge = useChange<'justified' | 'unjustified'>(
    (verdict) => ({ path: `/breakglass/${encodeURIComponent(id)}/review`, body: { verdict, reason: why.trim() } }),
    (done, verdict) => {
      clear();
      return verdict === 'justified'
        ? `You found that ${subject} was right to take ${role}. It is off the list; your reason stands in the record.`
        : `You found that ${subject} had no right to take ${role}. Where it still lasted it has ended, ${everywhere(done)}.`;
    },
  );
  const silent = why.trim() === '';
  return (
    <Paper
      withBorder
      p="md"
      my="sm"
      role="group"
      aria-label={`${subject} took ${role} in an emergency`}
      className="emergency"
    >
      <p className="asks">
        <bdi>
          <strong>{subject}</strong>
        </bdi>{' '}
        took{' '}
        <bdi>
          <strong>{role}</strong>
        </bdi>{' '}
        in an emergency, as {as}, <Moment at={opened} />.{' '}
        {live ? (
          <strong>
            It still lasts, until <Moment at={until} />.
          </strong>
        ) : (
          `It is over${closed === undefined ? '' : ` (${closed.replace('-', ' ')})`}.`
        )}
      </p>
      <blockquote dir="auto">{reason}</blockquote>
      {ticket !== undefined && <p dir="auto">Ticket: {ticket}</p>}
      <Textarea
        label="What you found"
        description={live ? 'Unjustified ends it at once.' : 'It stands in the record for good.'}
        value={why}
        maxLength={2_000}
        autosize
        minRows={2}
        onChange={(event) => setWhy(event.target.value)}
      />
      <Group mt="sm">
        <Button disabled={silent} loading={judge.isPending} onClick={() => judge.mutate('justified')}>
          Justified
        </Button>
        <Button color="red.9" disabled={silent} loading={judge.isPending} onClick={() => judge.mutate('unjustified')}>
          Unjustified
        </Button>
      </Group>
      <Failed title="Your judgement was not taken" error={judge.error} />
    </Paper>
  );
};
