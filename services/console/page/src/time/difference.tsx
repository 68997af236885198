/** The difference between two moments: who gained what, who lost what, and by which facts. */
import { Group, Paper, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { Find } from '../access/find.tsx';
import { parseAbout, type Right } from '../access/rights.ts';
import { AboutLink, FactLink } from '../access/ways.tsx';
import { askJson, queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { Listed, Moment } from '../shown.tsx';
import { SubPages, timePages } from '../sub-pages.tsx';
import { MomentSlider, typeWords, useHead } from './time-bar.tsx';

type Because = {
  readonly fact: number;
  readonly type: string;
  readonly recorded: string;
  readonly effective: string;
  readonly by: string;
  readonly reason?: string;
  readonly ticket?: string;
};
type Change = Right & { readonly because: readonly Because[] };
type Answer = {
  readonly from: { readonly sequence: number; readonly at: string };
  readonly to: { readonly sequence: number; readonly at: string };
  readonly gained: readonly Change[];
  readonly lost: readonly Change[];
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
              rights gained, <strong>{lost.length}</strong> lost.
            </p>
            {of.kind === 'subject' && <Evidence query={{ question: '2', subject: of.name, from, to }} />}
          </Group>
          <div className="two">
            <Side title="Gained" sign="+" changes={gained} />
            <Side title="Lost" sign="−" changes={lost} />
          </div>
        </Listed>
      )}
    </>
  );
};

const shownMax = 200;

/** Changes of one subject by the same facts are one entry. */
const Side = ({
  title,
  sign,
  changes,
}: {
  readonly title: string;
  readonly sign: string;
  readonly changes: readonly Change[];
}) => {
  const groups = Object.values(
    Object.groupBy(changes, ({ subject, because }) => JSON.stringify([subject, because.map(({ fact }) => fact)])),
  ).flatMap((each) => (each === undefined ? [] : [each]));
  return (
    <section aria-label={title} className={title.toLowerCase()}>
      <Title order={2} size="h4">
        {title} ({changes.length})
      </Title>
      {groups.slice(0, shownMax).map((group) => {
        const [first] = group;
        if (first === undefined) return null;
        return (
          <Paper withBorder p="sm" mb="sm" key={`${first.subject} ${first.endpoint}`}>
            <strong>
              <AboutLink about={first.subject} />
            </strong>
            <ul className="opened">
              {group.map(({ endpoint }) => (
                <li key={endpoint}>
                  <span className="sign">{sign}</span> <AboutLink about={endpoint} />
                </li>
              ))}
            </ul>
            <ul>
              {first.because.map((because) => (
                <li key={because.fact}>
                  <FactLink fact={because.fact} />: {typeWords(because.type)} by {because.by},{' '}
                  <Moment at={because.recorded} />
                  {because.reason !== undefined && <>: “{because.reason}”</>}
                  {because.ticket !== undefined && <> (ticket {because.ticket})</>}
                </li>
              ))}
              {first.because.length === 0 && <li>by the passing of time, or by a change of the model</li>}
            </ul>
          </Paper>
        );
      })}
      {groups.length > shownMax && <p>and {groups.length - shownMax} more: ask about one subject or a shorter time.</p>}
    </section>
  );
};
