/**
 * The moment that a page looks at, as a slider over the log: every fact is a step. It stands in the address, so that a link shows what
 * was seen; at the right end is now, which moves on.
 */
import { Button, Group, Slider, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { Found } from '../access/grants-at.ts';
import { ask, askJson, queryText } from '../api.ts';
import { Moment } from '../shown.tsx';

export type ShownFact = {
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  readonly authid?: string;
  readonly recordedtime: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** How many facts are signed: what can be asked about. */
export const useHead = () =>
  useQuery({
    queryKey: ['head'],
    queryFn: async () => Number((await (await ask('/audit/log/facts/checkpoint')).text()).split('\n')[1]),
    staleTime: 30_000,
  });

export const useFactAt = (sequence: number | undefined) =>
  useQuery({
    queryKey: ['fact-at', sequence],
    queryFn: () =>
      askJson<Found<ShownFact>>(`/audit/facts${queryText({ from: String(sequence), to: String(sequence) })}`).then(
        ({ items }) => items[0] ?? null,
      ),
    enabled: sequence !== undefined && sequence > 0,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** `postern.grant.issued.v1` as `grant issued`. */
export const typeWords = (type: string): string =>
  type
    .replace(/^postern\./, '')
    .replace(/\.v\d+$/, '')
    .replaceAll('.', ' ');

export const TimeBar = () => {
  const [query, setQuery] = useSearchParams();
  const at = query.get('at') ?? '';
  const set = (value: string) => {
    const next = new URLSearchParams(query);
    if (value === '') next.delete('at');
    else next.set('at', value);
    setQuery(next);
  };
  return <MomentSlider label="As of" at={at} onChange={set} />;
};

export const MomentSlider = ({
  label,
  at,
  onChange,
}: {
  readonly label: string;
  /** A sequence, an instant, or empty for now. */
  readonly at: string;
  readonly onChange: (at: string) => void;
}) => {
  const head = useHead();
  const size = head.data ?? 1;
  const isSequence = /^\d+$/.test(at);
  const [dragged, setDragged] = useState<number>();
  const [typed, setTyped] = useState('');
  const value = dragged ?? (isSequence ? Math.min(Number(at), size) : size);
  const shown = isSequence ? Number(at) : undefined;
  const fact = useFactAt(shown);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const text = typed.trim();
    // A local time without a zone is the viewer's.
    const instant = new Date(text);
    if (/^\d+$/.test(text)) onChange(text);
    else if (text === '') onChange('');
    else if (!Number.isNaN(instant.getTime())) onChange(instant.toISOString());
  };
  if (head.error) return null;
  return (
    <section className="time-bar" aria-label={label}>
      <Slider
        min={1}
        max={Math.max(2, size)}
        value={value}
        onChange={setDragged}
        onChangeEnd={(end) => {
          setDragged(undefined);
          onChange(end >= size ? '' : String(end));
        }}
        label={(sequence) => (sequence >= size ? 'now' : `fact ${sequence}`)}
        thumbLabel={`${label}: fact`}
        className="slide"
      />
      <Group gap="xs" align="center">
        <span role="status">
          {dragged !== undefined ? (
            <>fact {dragged}</>
          ) : at === '' ? (
            'now'
          ) : isSequence ? (
            <>
              fact {at}
              {fact.data && (
                <>
                  : {[typeWords(fact.data.body.type), fact.data.body.subject].filter(Boolean).join(' ')},{' '}
                  <Moment at={fact.data.body.recordedtime} />
                </>
              )}
            </>
          ) : (
            <Moment at={at} />
          )}
        </span>
        {at !== '' && (
          <Button size="compact-sm" variant="default" onClick={() => onChange('')}>
            Back to now
          </Button>
        )}
        <form onSubmit={submit}>
          <TextInput
            size="sm"
            aria-label={`${label}: your time, or a fact’s number`}
            placeholder="2026-03-01 14:00, or 120"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            rightSectionWidth={48}
            rightSection={
              <Button type="submit" size="compact-sm" variant="subtle">
                Go
              </Button>
            }
          />
        </form>
      </Group>
    </section>
  );
};
