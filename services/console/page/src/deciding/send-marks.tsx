/** The last look: what will happen, and then it does, part by part, so that one that is refused holds up no other. */
import { Alert, Button, Group, Progress, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useContext, useRef, useState } from 'react';
import { send } from '../api.ts';
import { Dialog } from '../dialog.tsx';
import { decidingKey } from './asked.ts';
import { type ChangeAnswer, everywhere, Tell } from './change.tsx';
import { countsOf, type Marks, sendings } from './marks.ts';

export const SendMarks = ({
  review,
  marks,
  onSent,
  onClose,
}: {
  readonly review: string;
  readonly marks: Marks;
  readonly onSent: (grants: ReadonlySet<string>) => void;
  readonly onClose: () => void;
}) => {
  const client = useQueryClient();
  const tell = useContext(Tell);
  const { keep, revoke, shorten } = countsOf(marks);
  const [done, setDone] = useState(0);
  /** The same part sent again, after an answer that was lost, counts once. */
  const once = useRef(new Map<string, string>());
  const parts = sendings(marks);
  const sent = useMutation({
    mutationFn: async () => {
      const gone = new Set<string>();
      // As they were when it was pressed: what is sent is marked no more.
      const counts = countsOf(marks);
      let last: ChangeAnswer = { enforced: false };
      try {
        for (const part of parts) {
          const wish = JSON.stringify(part);
          const text = once.current.get(wish) ?? crypto.randomUUID();
          once.current.set(wish, text);
          last = await send<ChangeAnswer>(`/reviews/${encodeURIComponent(review)}/decisions?wait=enforced`, part, text);
          for (const { grant } of part.decisions) gone.add(grant);
          setDone((before) => before + part.decisions.length);
        }
      } finally {
        if (gone.size > 0) onSent(gone);
        await client.invalidateQueries({ queryKey: decidingKey });
      }
      return { answer: last, counts };
    },
    onSuccess: ({ answer, counts }) => {
      onClose();
      tell(
        `Decided: ${counts.keep} kept, ${counts.revoke} revoked, ${counts.shorten} shortened.${counts.revoke + counts.shorten > 0 ? ` It holds ${everywhere(answer)}.` : ''}`,
      );
    },
  });
  const all = keep + revoke + shorten;
  return (
    <Dialog label="Send your decisions" onClose={sent.isPending ? () => {} : onClose}>
      <Title order={2} size="h3" mb="xs">
        Send {all} decisions
      </Title>
      <ul>
        {keep > 0 && <li>{keep} stay as they are.</li>}
        {revoke > 0 && (
          <li>
            <strong>{revoke} are revoked</strong>: within seconds no gate lets them through, and open connections that
            rest on them are cut.
          </li>
        )}
        {shorten > 0 && <li>{shorten} end at the moment that you named.</li>}
      </ul>
      <p>After that it cannot be undone here: whoever needs it again has to ask again.</p>
      {sent.isPending && <Progress value={(100 * done) / all} aria-label="Sent" />}
      {sent.error && (
        <Alert color="red" role="alert" title="Not all of it was taken" mt="sm">
          {sent.error.message} What was not taken is still marked.
        </Alert>
      )}
      <Group mt="md">
        <Button loading={sent.isPending} disabled={all === 0} onClick={() => sent.mutate()} data-autofocus>
          Send
        </Button>
        <Button variant="default" disabled={sent.isPending} onClick={onClose}>
          Not yet
        </Button>
      </Group>
    </Dialog>
  );
};
