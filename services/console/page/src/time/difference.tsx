/** The difference between two moments: who gained what, who lost what, and by which facts. */
import { Group, Paper, Title } from '@mantine/core';
import type { RightChange, RightChanges } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { Find } from '../access/find.tsx';
import { parseAbout } from '../access/rights.ts';
import { AboutLink, FactLink } from '../access/ways.tsx';
import { askJson, queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { legible } from '../names.ts';
import { Listed, Moment } from '../shown.tsx';
import { SubPages, timePages } from '../sub-pages.tsx';
import { MomentSlider, typeWords, useHead } from './time-bar.tsx';

type Answer = RightChanges & {
  readonly from: { readonly sequence: number; readonly at: string };
  readonly to: { readonly sequence: number; readonly at: string };
};

export const Difference = () => {
  const [query, setQuery] = useSearchParams();
  const head = useHead();
  const [from, to, about] = [query.get('from') ?? '', query.get('to') ?? '', query.get('about') ?? ''];
  const of = parseAbout(about);
  const asked = of.kind === 'subject' || of.kind === 'endpoint' ? { [of.kind]: of.name } : {};
  const found = useQuery({
    queryKey: ['difference', from, to, about],
    queryFn: () => askJson<Answer>(`/audit/as-of${queryText({ ...asked, from, to })}`),
    enabled: from !== '',
  });
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value === '') next.delete(name);
    else next.set(name, value);
    setQuery(next);
  };
  const [gained, lost] = [found.data?.gained ?? [], found.data?.lost ?? []];
  return (
    <>
      <SubPages title="Time" of={timePages} />
      <div className="two">
        <div>
          <Title order={2} size="h5">
            From
          </Title>
          <MomentSlider
            label="From"
            at={from}
            onChange={(value) => set('from', value === '' ? String(head.data ?? '') : value)}
          />
        </div>
        <div>
          <Title order={2} size="h5">
            To
          </Title>
          <MomentSlider label="To" at={to} onChange={(value) => set('to', value)} />
        </div>
      </div>
      <Find
        label="About one subject or endpoint (empty: everybody whom a fact in between concerns)"
        value={about}
        onChoose={(value) => set('about', value)}
      />
      {from === '' ? (
        <p>Choose where the time begins.</p>
      ) : (
        <Listed
          of={found}
          count={gained.length + lost.length}
          empty="Between the two moments nobody gained and nobody lost any access."
        >
          <Group justify="space-between" my="sm">
            <p>
              From <Moment at={found.data?.from.at ?? ''} /> (fact {found.data?.from.sequence}) to{' '}
              <Moment at={found.data?.to.at ?? ''} /> (fact {found.data?.to.sequence}): <strong>{gained.length}</strong>{' '}
              {gained.length === 1 ? 'right' : 'rights'} gained, <strong>{lost.length}</strong> lost.
            </p>
            {of.kind === 'subject' && <Evidence query={{ question: '2', subject: of.name, from, to }} />}
          </Group>
          <BySubject gained={gained} lost={lost} />
        </Listed>
      )}
    </>
  );
};

const shownMax = 200;
/** So few are open from the start. */
const openMax = 3;
const endpointsShown = 12;

/** Whoever's access changed, most changed first. */
const BySubject = ({
  gained,
  lost,
}: {
  readonly gained: readonly RightChange[];
  readonly lost: readonly RightChange[];
}) => {
  const [plus, minus] = [bySubject(gained), bySubject(lost)];
  const count = (subject: string): number => (plus.get(subject)?.length ?? 0) + (minus.get(subject)?.length ?? 0);
  const subjects = [...new Set([...plus.keys(), ...minus.keys()])].sort((a, b) => count(b) - count(a));
  const most = Math.max(
    1,
    ...subjects.map((each) => Math.max(plus.get(each)?.length ?? 0, minus.get(each)?.length ?? 0)),
  );
  return (
    <>
      {subjects.slice(0, shownMax).map((subject) => {
        const [up, down] = [plus.get(subject) ?? [], minus.get(subject) ?? []];
        return (
          <details className="changes" key={subject} open={subjects.length <= openMax}>
            <summary>
              <strong>{legible(subject)}</strong>
              <span className="count plus">+{up.length}</span>
              <span className="count minus">−{down.length}</span>
              <span className="diverging" aria-hidden="true">
                <span className="minus" style={{ width: `${(100 * down.length) / most}%` }} />
                <span className="plus" style={{ width: `${(100 * up.length) / most}%` }} />
              </span>
            </summary>
            <p>
              <AboutLink about={subject}>What they can call</AboutLink>
            </p>
            <Side title="Gained" sign="+" changes={up} />
            <Side title="Lost" sign="−" changes={down} />
          </details>
        );
      })}
      {subjects.length > shownMax && (
        <p>and {subjects.length - shownMax} more: ask about one subject or a shorter time.</p>
      )}
    </>
  );
};

const bySubject = (changes: readonly RightChange[]): ReadonlyMap<string, readonly RightChange[]> =>
  Map.groupBy(changes, ({ subject }) => subject);

/** What came by the same facts is one entry. */
const Side = ({
  title,
  sign,
  changes,
}: {
  readonly title: string;
  readonly sign: string;
  readonly changes: readonly RightChange[];
}) => {
  if (changes.length === 0) return null;
  const groups = [...Map.groupBy(changes, ({ because }) => JSON.stringify(because.map(({ fact }) => fact))).entries()];
  return (
    <section aria-label={title} className={title.toLowerCase()}>
      <Title order={3} size="h5">
        {title} ({changes.length})
      </Title>
      {groups.map(([key, group]) => (
        <Paper withBorder p="sm" mb="sm" key={key}>
          <ul>
            {group[0]?.because.map((because) => (
              <li key={because.fact}>
                <FactLink fact={because.fact} />: {typeWords(because.type)} by {because.by},{' '}
                <Moment at={because.recorded} />
                {because.reason !== undefined && <>: “{because.reason}”</>}
                {because.ticket !== undefined && <> (ticket {because.ticket})</>}
              </li>
            ))}
            {group[0]?.because.length === 0 && <li>by the passing of time, or by a change of the model</li>}
          </ul>
          <Endpoints sign={sign} of={group.slice(0, endpointsShown)} />
          {group.length > endpointsShown && (
            <details>
              <summary>and {group.length - endpointsShown} more</summary>
              <Endpoints sign={sign} of={group.slice(endpointsShown)} />
            </details>
          )}
        </Paper>
      ))}
    </section>
  );
};

const Endpoints = ({ sign, of }: { readonly sign: string; readonly of: readonly RightChange[] }) => (
  <ul className="opened">
    {of.map(({ endpoint }) => (
      <li key={endpoint}>
        <span className="sign">{sign}</span> <AboutLink about={endpoint} />
      </li>
    ))}
  </ul>
);
