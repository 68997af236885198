/** The glass is broken here: loudly, for a reason, and knowing who will ask. */
import { Button, Group, Textarea, TextInput, Title } from '@mantine/core';
import { Dialog } from '../dialog.tsx';
import { useDraft } from '../drafts.ts';
import { Moment } from '../shown.tsx';
import { type Askable, inWords } from './asked.ts';
import { everywhere, Failed, useChange } from './change.tsx';

const empty = { reason: '', ticket: '' };

export const TakeGlass = ({ role, onDone }: { readonly role: Askable; readonly onDone: () => void }) => {
  const { role: name, breakGlass } = role;
  const [typed, setTyped, clear] = useDraft(`break glass ${name}`, empty);
  const take = useChange<void>(
    () => ({
      path: '/breakglass',
      body: {
        role: name,
        reason: typed.reason.trim(),
        ...(typed.ticket.trim() !== '' && { ticket: typed.ticket.trim() }),
      },
    }),
    (done) => {
      clear();
      onDone();
      return (
        <>
          You hold {name} now, {everywhere(done)}, until <Moment at={done.until ?? ''} />. It is on the list of{' '}
          {breakGlass?.reviewers.join(', ')} until they have looked at it. Give it back as soon as you can.
        </>
      );
    },
  );
  return (
    <Dialog label={`Break the glass for ${name}`} onClose={onDone} loud>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          take.mutate();
        }}
      >
        <Title order={2} size="h3">
          Break the glass for <bdi>{name}</bdi>
        </Title>
        <ul>
          <li>
            You get it <strong>at once</strong>, for at most {inWords(breakGlass?.longest ?? '1h')}; then it ends by
            itself.
          </li>
          <li>It is logged as an error, and everybody who watches Postern sees it while it lasts.</li>
          <li>
            Afterwards it is judged whether that was justified, by: {breakGlass?.reviewers.join(', ')}. It stays on
            their list until then.
          </li>
        </ul>
        <Textarea
          label="What the emergency is"
          value={typed.reason}
          required
          maxLength={2_000}
          autosize
          minRows={2}
          data-autofocus
          onChange={(event) => setTyped({ ...typed, reason: event.target.value })}
        />
        <TextInput
          label="Ticket"
          value={typed.ticket}
          maxLength={200}
          mt="sm"
          onChange={(event) => setTyped({ ...typed, ticket: event.target.value })}
        />
        <Group mt="md">
          <Button type="submit" color="red.9" loading={take.isPending} disabled={typed.reason.trim() === ''}>
            Break the glass
          </Button>
          <Button variant="default" onClick={onDone}>
            No, leave it
          </Button>
        </Group>
        <Failed title="The glass is whole" error={take.error} />
      </form>
    </Dialog>
  );
};
