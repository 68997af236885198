/** For how long, and why. */
import { Button, Group, Textarea, TextInput } from '@mantine/core';
import { useDraft } from '../drafts.ts';
import { Moment } from '../shown.tsx';
import { type Askable, inWords, ruleInWords } from './asked.ts';
import { Failed, useChange } from './change.tsx';

const empty = { duration: '', reason: '', ticket: '' };
const duration = /^[1-9]\d{0,4}[smhd]$/;

export const AskForm = ({
  role,
  grant,
  onDone,
}: {
  readonly role: Askable;
  /** The grant that is to last longer. */
  readonly grant?: string;
  readonly onDone: () => void;
}) => {
  const { role: name, longest } = role;
  const [typed, setTyped, clear] = useDraft(`ask ${grant ?? name}`, empty);
  const ask = useChange<void>(
    () => ({
      path: '/requests',
      body: {
        ...(grant === undefined ? { role: name } : { extends: grant }),
        reason: typed.reason.trim(),
        ...(typed.duration !== '' && { duration: typed.duration.trim() }),
        ...(typed.ticket.trim() !== '' && { ticket: typed.ticket.trim() }),
      },
    }),
    ({ answerBy = '' }) => {
      clear();
      onDone();
      return (
        <>
          You asked for {name}. Now {ruleInWords(role)} decides; you need do nothing. Without an answer by{' '}
          <Moment at={answerBy} /> it lapses. Where it stands is said under “Yours”.
        </>
      );
    },
  );
  const wrong = typed.duration.trim() !== '' && !duration.test(typed.duration.trim());
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate();
      }}
    >
      <Group grow align="start" mt="sm">
        <TextInput
          label="For how long"
          placeholder={longest}
          description={`Such as 30m, 8h or 2d; at most ${inWords(longest)}`}
          value={typed.duration}
          error={wrong ? 'Write a number and s, m, h or d' : undefined}
          onChange={(event) => setTyped({ ...typed, duration: event.target.value })}
        />
        <TextInput
          label="Ticket"
          description="Where there is one"
          value={typed.ticket}
          maxLength={200}
          onChange={(event) => setTyped({ ...typed, ticket: event.target.value })}
        />
      </Group>
      <Textarea
        label="Why you need it"
        description="Whoever decides reads it, and it stands in the record for good."
        value={typed.reason}
        required
        maxLength={2_000}
        autosize
        minRows={2}
        mt="sm"
        onChange={(event) => setTyped({ ...typed, reason: event.target.value })}
      />
      <Group mt="sm">
        <Button type="submit" loading={ask.isPending} disabled={typed.reason.trim() === '' || wrong}>
          {grant === undefined ? `Ask for ${name}` : `Ask for ${name} for longer`}
        </Button>
        <Button variant="default" onClick={onDone}>
          Not now
        </Button>
      </Group>
      <Failed title="It was not asked" error={ask.error} />
    </form>
  );
};
