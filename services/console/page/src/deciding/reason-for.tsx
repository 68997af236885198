/** Why it is marked so; the reason that was given last stands there already, and Enter takes it. */
import { Button, Group, TextInput, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Dialog } from '../dialog.tsx';
import type { Verdict } from './marks.ts';

const verbs = { keep: 'Keep', revoke: 'Revoke', shorten: 'Shorten' } as const;
const follows = {
  keep: 'It stays as it is.',
  revoke: 'Once sent, no gate lets it through any more.',
  shorten: 'Once sent, it ends then.',
} as const;

export const ReasonFor = ({
  verdict,
  count,
  about,
  last,
  onSaid,
  onClose,
}: {
  readonly verdict: Verdict;
  readonly count: number;
  readonly about: string | undefined;
  readonly last: { readonly reason: string; readonly until?: string } | undefined;
  readonly onSaid: (reason: string, until?: string) => void;
  readonly onClose: () => void;
}) => {
  const [reason, setReason] = useState(last?.reason ?? '');
  const [until, setUntil] = useState(last?.until === undefined ? '' : localTime(last.until));
  const end = new Date(until);
  const late = verdict === 'shorten' && (Number.isNaN(end.getTime()) || end.getTime() <= Date.now());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason.trim() === '' || late) return;
    onSaid(reason.trim(), verdict === 'shorten' ? end.toISOString() : undefined);
  };
  return (
    <Dialog label={`${verbs[verdict]}: why`} onClose={onClose}>
      <form onSubmit={submit}>
        <Title order={2} size="h4" mb="xs">
          {verbs[verdict]} {about === undefined ? `these ${count}` : <bdi>{about}</bdi>}
        </Title>
        <p className="small">{follows[verdict]} It can be undone until it is sent.</p>
        {verdict === 'shorten' && (
          <TextInput
            type="datetime-local"
            label="Until (your time)"
            value={until}
            required
            error={until !== '' && late ? 'Name a moment that is still to come' : undefined}
            onChange={(event) => setUntil(event.target.value)}
          />
        )}
        <TextInput
          label="Reason"
          value={reason}
          required
          maxLength={2_000}
          data-autofocus
          onFocus={(event) => event.target.select()}
          onChange={(event) => setReason(event.target.value)}
        />
        <Group mt="md">
          <Button type="submit" disabled={reason.trim() === '' || late}>
            Mark
          </Button>
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
        </Group>
      </form>
    </Dialog>
  );
};

const localTime = (instant: string): string => {
  const date = new Date(instant);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
