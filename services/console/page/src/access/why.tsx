/** Why a call is refused or allowed, at any moment: what the decision point says, and the grant that comes nearest. */
import { Alert, Badge, Button, Group, Paper, TextInput, Title } from '@mantine/core';
import type { Conditions } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useSearchParams } from 'react-router';
import { askJson, queryText } from '../api.ts';
import { useMay } from '../may.ts';
import { Listed } from '../shown.tsx';
import { accessPages, SubPages } from '../sub-pages.tsx';
import { TimeBar } from '../time/time-bar.tsx';
import { conditionWords, momentQuery } from './rights.ts';
import { AboutLink, FactLink } from './ways.tsx';

type Grant = {
  readonly subject: string;
  readonly role: string;
  readonly group?: string;
  readonly fact: number;
  readonly by: string;
  readonly reason: string;
  readonly conditions?: Conditions;
};
export type Miss =
  | (Grant & { readonly kind: 'condition'; readonly unmet: readonly string[]; readonly missing: readonly string[] })
  | {
      readonly kind: 'object';
      readonly subject: string;
      readonly object: string;
      readonly relations: readonly string[];
    }
  | { readonly kind: 'role'; readonly subject: string; readonly role: string; readonly endpoints: number };
export type Judged = {
  readonly decision: 'allow' | 'deny';
  readonly reason?: string;
  readonly endpoint?: string;
  readonly sequence: number;
  readonly scopes?: readonly string[];
  readonly operations?: readonly Judged[];
  readonly explanation?:
    | {
        readonly outcome: 'allow';
        readonly public?: true;
        readonly ways?: readonly (Grant | { readonly object: string })[];
      }
    | { readonly outcome: 'deny'; readonly subject: string; readonly misses: readonly Miss[] };
};

/** What a call is judged by besides who makes it. */
export const circumstances = ['ip', 'country', 'acr', 'amr', 'scopes', 'time', 'operation'] as const;
export const callMembers = ['subject', 'method', 'path'] as const;
const members = [...callMembers, ...circumstances];
type Asked = Readonly<Record<string, string>>;

/** Now asks the live decision point; the past, the engine as it was. */
export const askWhy = ({ at = '', time = '', ...asked }: Asked): Promise<Judged> =>
  at === ''
    ? askJson<Judged>(`/can${queryText({ ...asked, at: time })}`)
    : askJson<Judged>(`/audit/as-of${queryText({ ...asked, time, ...momentQuery(at) })}`);

export const Why = () => {
  const may = useMay();
  const [query, setQuery] = useSearchParams();
  const at = query.get('at') ?? '';
  const asked: Asked = Object.fromEntries(members.map((name) => [name, query.get(name) ?? '']));
  const [typed, setTyped] = useState<Asked>({
    method: 'GET',
    ...Object.fromEntries(Object.entries(asked).filter(([, text]) => text !== '')),
  });
  const complete = callMembers.every((name) => asked[name] !== '');
  const judged = useQuery({
    queryKey: ['why', asked, at],
    queryFn: () => askWhy({ ...asked, at }),
    enabled: complete && (at !== '' || may('can')),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setQuery(new URLSearchParams(queryText({ ...typed, at })));
  };
  const field = (name: string, label: string, placeholder: string) => (
    <TextInput
      label={label}
      placeholder={placeholder}
      value={typed[name] ?? ''}
      onChange={(event) => setTyped({ ...typed, [name]: event.target.value.trim() })}
    />
  );
  return (
    <>
      <SubPages title="Access" of={accessPages} keep={['at']} />
      <form onSubmit={submit}>
        <Group align="end" mb="xs">
          {field('subject', 'Who', 'user:bob')}
          {field('method', 'Method', 'GET')}
          {field('path', 'Path', '/payroll/employees/42')}
          {field('ip', 'From address (optional)', '10.1.2.3')}
          {field('acr', 'acr (optional)', 'urn:mfa')}
          <Button type="submit">Ask</Button>
        </Group>
      </form>
      <TimeBar />
      {!complete ? (
        <p>Name a caller, a method and a path to hear whether the call would pass, and why.</p>
      ) : (
        <Listed of={judged} count={1} empty="">
          {judged.data !== undefined && <Verdict judged={judged.data} />}
        </Listed>
      )}
    </>
  );
};

const Verdict = ({ judged }: { readonly judged: Judged }) => {
  const { decision, reason, endpoint, sequence, scopes, explanation, operations } = judged;
  return (
    <Paper withBorder p="md">
      <Group gap="xs">
        <Badge color={decision === 'allow' ? 'green.9' : 'red.9'} size="lg">
          {decision}
        </Badge>
        <span>
          {reason} {endpoint !== undefined && <AboutLink about={endpoint} />} by what fact {sequence} and those before
          it say
        </span>
      </Group>
      {scopes !== undefined && <p>The token lacks the scopes {scopes.join(', ')}.</p>}
      {explanation?.outcome === 'allow' && explanation.public === true && <p>The endpoint is public.</p>}
      {explanation?.outcome === 'allow' &&
        explanation.ways?.map((way) =>
          'object' in way ? (
            <p key={way.object}>by relationships of {way.object}</p>
          ) : (
            <p key={`${way.subject} ${way.fact}`}>
              {way.subject} holds <AboutLink about={`role:${way.role}`}>{way.role}</AboutLink>
              {way.group !== undefined && <> through {way.group}</>}, granted by {way.by}: “{way.reason}” (
              <FactLink fact={way.fact} />)
            </p>
          ),
        )}
      {explanation?.outcome === 'deny' && <Misses misses={explanation.misses} />}
      {operations?.map((each) => (
        <Verdict key={each.endpoint} judged={each} />
      ))}
      {explanation === undefined && operations === undefined && reason === 'no-such-endpoint' && (
        <Alert color="yellow" mt="sm" title="No published endpoint has this method and path">
          Whoever calls it is refused. Look the service up to see what it declares.
        </Alert>
      )}
    </Paper>
  );
};

/** The nearest first: a grant whose condition is not met, then the roles that would do, the smallest first. */
export const Misses = ({ misses }: { readonly misses: readonly Miss[] }) => (
  <>
    <Title order={2} size="h5" mt="sm">
      What is missing
    </Title>
    <ul>
      {misses.map((miss) => (
        <li key={JSON.stringify(miss)}>
          <MissTold miss={miss} />
        </li>
      ))}
      {misses.length === 0 && <li>no role opens it</li>}
    </ul>
  </>
);

export const MissTold = ({ miss }: { readonly miss: Miss }) => {
  switch (miss.kind) {
    case 'role':
      return (
        <>
          {miss.subject} does not hold <AboutLink about={`role:${miss.role}`}>{miss.role}</AboutLink>, which opens{' '}
          {miss.endpoints} endpoints
        </>
      );
    case 'object':
      return (
        <>
          {miss.subject} has no relationship that gives {miss.object}
          {miss.relations.length > 0 && <> (one of: {miss.relations.join(', ')})</>}
        </>
      );
    case 'condition':
      return (
        <>
          {miss.subject} holds <AboutLink about={`role:${miss.role}`}>{miss.role}</AboutLink> (
          <FactLink fact={miss.fact} />
          ), but only {miss.conditions === undefined ? 'under conditions' : conditionWords(miss.conditions).join('; ')}:{' '}
          {[...miss.unmet, ...miss.missing.map((name) => `${name} is not known`)].join(', ')}
        </>
      );
  }
};
