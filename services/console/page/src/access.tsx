/** Access: what a subject can call, or who can call an endpoint, now or at a past moment, with every fact on the way. */
import { Badge, Button, Group, Paper, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useSearchParams } from 'react-router';
import { askJson, queryText } from './api.ts';
import { Id, Listed, Moment } from './shown.tsx';

type Way = {
  readonly grant: string;
  readonly fact: number;
  readonly by: string;
  readonly reason: string;
  readonly role: string;
  readonly group?: string;
  readonly issued?: string;
  readonly conditions?: unknown;
};
type Right = {
  readonly subject: string;
  readonly endpoint: string;
  readonly conditional: boolean;
  readonly paths: readonly Way[];
};
type Answer = {
  readonly moment: { readonly sequence: number; readonly at: string };
  readonly rights: readonly Right[];
};

export const Access = () => {
  const [query, setQuery] = useSearchParams();
  const [about, at] = [query.get('about') ?? '', query.get('at') ?? ''];
  const [typed, setTyped] = useState({ about, at });
  const named = /^(user|workload|credential):/.test(about) ? 'subject' : 'endpoint';
  const found = useQuery({
    queryKey: ['as-of', about, at],
    queryFn: () => askJson<Answer>(`/audit/as-of${queryText({ [named]: about, at })}`),
    enabled: about !== '',
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A local time without a zone is the viewer's.
    const moment = typed.at === '' ? '' : new Date(typed.at);
    const when = moment === '' || Number.isNaN(moment.getTime()) ? '' : moment.toISOString();
    setQuery(new URLSearchParams(queryText({ about: typed.about.trim(), at: when })));
  };
  return (
    <>
      <Title order={1}>Access</Title>
      <form onSubmit={submit}>
        <Group my="md" align="end">
          <TextInput
            label="Subject or endpoint"
            placeholder="user:bob or payroll/listEmployees"
            value={typed.about}
            onChange={(event) => setTyped({ ...typed, about: event.target.value })}
            miw="20rem"
          />
          <TextInput
            label="As of (your time; empty means now)"
            placeholder="2026-03-01 14:00"
            value={typed.at}
            onChange={(event) => setTyped({ ...typed, at: event.target.value })}
          />
          <Button type="submit">Look</Button>
        </Group>
      </form>
      {about === '' ? (
        <p>Name a subject to see what it can call, or an endpoint to see who can call it.</p>
      ) : (
        <Listed
          of={found}
          count={found.data?.rights.length ?? 0}
          empty={named === 'subject' ? `${about} could call nothing.` : `Nobody could call ${about}.`}
        >
          <p>
            As of <Moment at={found.data?.moment.at ?? ''} />, fact {found.data?.moment.sequence}.
          </p>
          {alike(found.data?.rights ?? []).map(([first, ...more]) => (
            <Paper withBorder p="sm" mb="sm" key={`${first.subject} ${first.endpoint}`}>
              {first.conditional && <Badge color="yellow.9">under conditions</Badge>}
              {first.paths.map((way) => (
                <Path key={`${way.grant} ${way.group ?? ''}`} subject={first.subject} way={way} />
              ))}
              <ul className="opened">
                {[first, ...more].map(({ endpoint }) => (
                  <li key={endpoint}>
                    <Id text={endpoint} />
                  </li>
                ))}
              </ul>
            </Paper>
          ))}
        </Listed>
      )}
    </>
  );
};

/** What somebody can call in the same ways is shown together: a role opens dozens of endpoints. */
const alike = (rights: readonly Right[]): readonly (readonly [Right, ...Right[]])[] => {
  const groups = new Map<string, [Right, ...Right[]]>();
  for (const right of rights) {
    const ways = right.paths.map(({ grant, group }) => [grant, group ?? '']);
    const key = JSON.stringify([right.subject, right.conditional, ways]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [right]);
    else group.push(right);
  }
  return [...groups.values()];
};

const Path = ({ subject, way }: { readonly subject: string; readonly way: Way }) => (
  <ol className="path">
    <li>
      <span className="node">{subject}</span>
    </li>
    {way.group && (
      <li>
        <span className="edge">is in</span>
        <span className="node">{way.group}</span>
      </li>
    )}
    <li>
      <span className="edge">
        granted by {way.by}: “{way.reason}” (fact {way.fact}
        {way.issued && (
          <>
            , <Moment at={way.issued} />
          </>
        )}
        {way.conditions !== undefined && <>, if {JSON.stringify(way.conditions)}</>})
      </span>
      <span className="node">role {way.role}</span>
    </li>
    <li>
      <span className="edge">opens</span>
    </li>
  </ol>
);
