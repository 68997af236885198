/** A campaign, item by item, by the keyboard alone: marked first, looked over, taken back where it was wrong, and then sent. */

import { Alert, Button, Group, NativeSelect, TextInput, Title } from '@mantine/core';
import { useMemo, useRef, useState } from 'react';
import { useParams, useSearchParams } from 'react-router';
import { queryText } from '../api.ts';
import { useDraft } from '../drafts.ts';
import { legible } from '../names.ts';
import { Loading, Moment } from '../shown.tsx';
import { type Campaign as Open, useCampaigns } from './asked.ts';
import { CampaignKeys, verdictKeys } from './campaign-keys.tsx';
import { CampaignTable, type TableHandle } from './campaign-table.tsx';
import { type Marks, marked, noMarks, onlyOf, undone, type Verdict } from './marks.ts';
import { ReasonFor } from './reason-for.tsx';
import { SendMarks } from './send-marks.tsx';
import { type Order, orders, useSortedItems } from './sorted-items.ts';

export const Campaign = () => {
  const { review = '' } = useParams();
  const campaigns = useCampaigns(true);
  const open = campaigns.data?.items.find(({ id }) => id === review);
  if (campaigns.isPending) return <Loading />;
  if (open !== undefined) return <Items key={review} campaign={open} />;
  return (
    <Alert color={campaigns.error ? 'red' : 'green'} role="status" my="md" title="Nothing here waits for you">
      {campaigns.error?.message ??
        'You have decided about everything in this review that is yours to decide, or it is closed. Each revocation is enforced at every gate; the record has the facts.'}
    </Alert>
  );
};

const Items = ({ campaign }: { readonly campaign: Open }) => {
  const { id, title, due, undecided, mine } = campaign;
  const [query, setQuery] = useSearchParams();
  const find = query.get('find') ?? '';
  const [kept, setMarks] = useDraft<Marks>(`review ${id}`, noMarks);
  const marks = useMemo(() => onlyOf(kept, new Set(mine.map(({ grant }) => grant))), [kept, mine]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<Verdict>();
  const [sending, setSending] = useState(false);
  const [helps, setHelps] = useState(false);
  /** What was said last of each kind: the next is often for the same reason. */
  const [said, setSaid] = useDraft<Partial<Record<Verdict, { reason: string; until?: string }>>>(`reasons ${id}`, {});
  const table = useRef<TableHandle>(null);
  const search = useRef<HTMLInputElement>(null);
  const named = query.get('order') ?? 'subject';
  const order = named in orders ? (named as Order) : 'subject';
  const items = useSortedItems(mine, order, find);
  const [at, setAt] = useState(0);
  const current = items[Math.min(at, items.length - 1)];
  const targets = selected.size > 0 ? [...selected] : current === undefined ? [] : [current.grant];
  const mark = (verdict: Verdict, reason: string, until?: string) => {
    setMarks(marked(marks, targets, { verdict, reason, ...(until !== undefined && { until }) }));
    setSaid({ ...said, [verdict]: { reason, ...(until !== undefined && { until }) } });
    setAsking(undefined);
    if (selected.size > 0) setSelected(new Set());
    else table.current?.step(1);
    table.current?.focus();
  };
  const chosen = (verdict: Verdict, again: boolean) => {
    const last = said[verdict];
    if (targets.length === 0) return;
    if (again && last !== undefined) mark(verdict, last.reason, last.until);
    else setAsking(verdict);
  };
  const count = Object.keys(marks.marks).length;
  return (
    <section aria-label="Review">
      <Title order={2} size="h3" mt="sm">
        <bdi>{title}</bdi>
      </Title>
      <p>
        {mine.length} for you to decide, due <Moment at={due} />. What nobody decides by then is{' '}
        {undecided === 'keep' ? 'kept' : 'revoked'}. You mark first; nothing happens until you send.
      </p>
      <Group align="end" mb="sm">
        <TextInput
          ref={search}
          label="Find"
          placeholder="a name, a role, a reason"
          value={find}
          onChange={(event) => {
            setQuery(new URLSearchParams(queryText({ find: event.target.value, order })), { replace: true });
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' || event.key === 'Escape') table.current?.focus();
          }}
        />
        <NativeSelect
          label="In order"
          value={order}
          data={Object.entries(orders).map(([value, label]) => ({ value, label }))}
          onChange={(event) => {
            setQuery(new URLSearchParams(queryText({ find, order: event.target.value })), { replace: true });
            setAt(0);
          }}
        />
        {verdictKeys.map(({ verdict, name }) => (
          <Button
            key={verdict}
            variant="default"
            disabled={targets.length === 0}
            onClick={() => chosen(verdict, false)}
          >
            {name}
            {selected.size > 0 && ` ${selected.size}`}
          </Button>
        ))}
        <Button variant="default" disabled={marks.steps.length === 0} onClick={() => setMarks(undone(marks))}>
          Undo
        </Button>
        <Button disabled={count === 0} onClick={() => setSending(true)}>
          Send {count > 0 ? count : ''}
        </Button>
        <Button variant="subtle" onClick={() => setHelps(true)}>
          Keys
        </Button>
      </Group>
      <p role="status" className="small">
        {count} of {mine.length} marked
        {selected.size > 0 && `, ${selected.size} selected`}
        {find.trim() !== '' && `, ${items.length} shown`}
      </p>
      <CampaignTable
        ref={table}
        items={items}
        marks={marks}
        selected={selected}
        at={Math.min(at, items.length - 1)}
        onAt={setAt}
        onSelect={setSelected}
        onVerdict={chosen}
        onUndo={() => setMarks(undone(marks))}
        onSend={() => count > 0 && setSending(true)}
        onFind={() => search.current?.focus()}
        onHelp={() => setHelps(true)}
      />
      {asking !== undefined && (
        <ReasonFor
          verdict={asking}
          count={targets.length}
          about={
            current !== undefined && targets.length === 1 ? `${legible(current.subject)}: ${current.role}` : undefined
          }
          last={said[asking]}
          onClose={() => setAsking(undefined)}
          onSaid={(reason, until) => mark(asking, reason, until)}
        />
      )}
      {sending && (
        <SendMarks
          review={id}
          marks={marks}
          onClose={() => setSending(false)}
          onSent={(grants) =>
            setMarks(onlyOf(marks, new Set(mine.flatMap(({ grant }) => (grants.has(grant) ? [] : [grant])))))
          }
        />
      )}
      {helps && <CampaignKeys onClose={() => setHelps(false)} />}
    </section>
  );
};
