/** Deciding: the requests that wait for this person's answer, and what they asked for themselves. */
import { Alert, Button, Group, Paper, Textarea, Title } from '@mantine/core';
import type { AccessRequest } from '@postern/schemas';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { askJson, send } from './api.ts';
import { Id, Listed, Moment } from './shown.tsx';

type Mine = { readonly asked: readonly AccessRequest[]; readonly toApprove: readonly AccessRequest[] };

export const Deciding = () => {
  const mine = useQuery({
    queryKey: ['mine'],
    queryFn: () => askJson<Mine>('/requests/mine'),
    refetchInterval: 10_000,
  });
  const [waiting, asked] = [mine.data?.toApprove ?? [], mine.data?.asked ?? []];
  return (
    <>
      <Title order={1}>Deciding</Title>
      <Listed of={mine} count={waiting.length} empty="Nothing waits for your answer.">
        {waiting.map((request) => (
          <Waiting key={request.id} request={request} />
        ))}
      </Listed>
      {asked.length > 0 && (
        <>
          <Title order={2} size="h4" mt="lg">
            What you asked for
          </Title>
          <ul>
            {asked.map(({ id, role, state, asked: at }) => (
              <li key={id}>
                {role}: {state}, asked <Moment at={at} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
};

/** What was typed stays until the answer is in the log. */
const Waiting = ({
  request: { id, subject, requester, role, reason, duration, answerBy },
}: {
  readonly request: AccessRequest;
}) => {
  const [why, setWhy] = useState('');
  const client = useQueryClient();
  const answer = useMutation({
    mutationFn: (said: 'approve' | 'deny') =>
      send(`/requests/${encodeURIComponent(id)}/${said}`, { reason: why.trim() }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['mine'] }),
  });
  return (
    <Paper withBorder p="md" my="md" role="group" aria-label={`${subject} asks for ${role}`}>
      <strong>{subject}</strong> asks for <strong>{role}</strong> for {duration}
      {requester !== subject && <> (asked by {requester})</>}: “{reason}”
      <p>
        Answer by <Moment at={answerBy} />; without one it lapses. <Id text={id} />
      </p>
      <Textarea
        label="Your reason"
        description="It stands in the record beside your answer. A yes gives the role once all approvals are there; a no ends the request."
        value={why}
        onChange={(event) => setWhy(event.target.value)}
      />
      <Group mt="sm">
        <Button disabled={why.trim() === ''} loading={answer.isPending} onClick={() => answer.mutate('approve')}>
          Approve
        </Button>
        <Button
          variant="default"
          disabled={why.trim() === ''}
          loading={answer.isPending}
          onClick={() => answer.mutate('deny')}
        >
          Deny
        </Button>
      </Group>
      {answer.error && (
        <Alert color="red" mt="sm" role="alert" title="Your answer was not taken">
          {answer.error.message}
        </Alert>
      )}
    </Paper>
  );
};
