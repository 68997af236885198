/** One request that waits for this person's answer. What was typed stays until the answer is in the log. */

import { Button, Group, Paper, Textarea } from '@mantine/core';
import { useDraft } from '../drafts.ts';
import { legible } from '../names.ts';
import { Id, Moment } from '../shown.tsx';
import { inWords, ruleInWords, useMayDecide, type Waiting } from './asked.ts';
import { everywhere, Failed, useChange } from './change.tsx';

export const WaitingRequest = ({ request }: { readonly request: Waiting }) => {
  const { id, role, reason, ticket, duration, answerBy, approvals, rule } = request;
  const [subject, requester] = [legible(request.subject), legible(request.requester)];
  const may = useMayDecide();
  const [why, setWhy, clear] = useDraft(`answer ${id}`, '');
  const answer = useChange<'approve' | 'deny'>(
    (said) => ({ path: `/requests/${encodeURIComponent(id)}/${said}`, body: { reason: why.trim() } }),
    (done, said) => {
      clear();
      if (said === 'deny') return `You denied ${subject} the role ${role}. They see your reason; the request is over.`;
      return done.state === 'granted' ? (
        <>
          {subject} holds {role} now, {everywhere(done)}
          {done.until !== undefined && (
            <>
              , until <Moment at={done.until} />
            </>
          )}
          .
        </>
      ) : (
        `Your yes is in the record. ${subject} gets ${role} when everybody else who has to has said yes too.`
      );
    },
  );
  const silent = why.trim() === '';
  const missing = rule !== undefined && rule.approvals !== 'all' ? rule.approvals - approvals.length : undefined;
  return (
    <Paper withBorder p="md" my="sm" role="group" aria-label={`${subject} asks for ${role}`}>
      <p className="asks">
        <bdi>
          <strong>{subject}</strong>
        </bdi>{' '}
        asks for{' '}
        <bdi>
          <strong>{role}</strong>
        </bdi>{' '}
        for {inWords(duration)}
        {request.extends !== undefined && ' more'}
        {requester !== subject && (
          <>
            {' '}
            (asked by <bdi>{requester}</bdi>)
          </>
        )}
      </p>
      <blockquote dir="auto">{reason}</blockquote>
      <dl className="about">
        {ticket !== undefined && (
          <>
            <dt>Ticket</dt>
            <dd dir="auto">{ticket}</dd>
          </>
        )}
        {rule && (
          <>
            <dt>Approved by</dt>
            <dd>
              {ruleInWords(rule)}
              {approvals.length > 0 &&
                `; so far ${approvals.map(({ by, as }) => `${legible(by)} as ${as}`).join(', ')}`}
            </dd>
          </>
        )}
        <dt>Answer by</dt>
        <dd>
          <Moment at={answerBy} />; without one it lapses. <Id text={id} />
        </dd>
      </dl>
      <Textarea
        label="Your reason"
        description={
          missing === 1
            ? 'It stands in the record for good. A yes gives the role at once; a no ends the request.'
            : 'It stands in the record for good. The role is given when all have said yes; a no ends the request.'
        }
        value={why}
        maxLength={2_000}
        autosize
        minRows={2}
        onChange={(event) => setWhy(event.target.value)}
      />
      <Group mt="sm">
        {may('approveRequest') && (
          <Button disabled={silent} loading={answer.isPending} onClick={() => answer.mutate('approve')}>
            Approve
          </Button>
        )}
        {may('denyRequest') && (
          <Button variant="default" disabled={silent} loading={answer.isPending} onClick={() => answer.mutate('deny')}>
            Deny
          </Button>
        )}
      </Group>
      <Failed title="Your answer was not taken" error={answer.error} />
    </Paper>
  );
};
