/** A role or a group: who holds it by which grants, and what it opens. A service: its endpoints, and which roles open each. */
import { Badge, Group } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { queryText } from '../api.ts';
import { endpointsOpened, useModel } from '../model/live-model.ts';
import { Listed, Moment } from '../shown.tsx';
import { VirtualTable } from '../virtual-table.tsx';
import { Drawn } from './drawn.tsx';
import { useGrants } from './grants-at.ts';
import type { Alike, Way } from './rights.ts';
import { AboutLink, FactLink } from './ways.tsx';

export const AboutRole = ({
  kind,
  name,
  at,
}: {
  readonly kind: 'role' | 'group';
  readonly name: string;
  readonly at: string;
}) => {
  const [, setQuery] = useSearchParams();
  const grants = useGrants(kind, name, at);
  const model = useModel(at);
  const ways = grants.data ?? [];
  const opened = (role: string): string[] => {
    const rules = model.data?.roles.find((each) => each.role === role);
    return rules === undefined
      ? []
      : (model.data?.services ?? []).flatMap((service) => endpointsOpened(rules, service).map(({ id }) => id));
  };
  const alike = ways.slice(0, 24).map((way): Alike => toAlike(way, opened(way.role)));
  const endpoints = opened(name);
  const rules = model.data?.roles.find((each) => each.role === name);
  return (
    <Listed
      of={grants}
      count={ways.length + endpoints.length}
      empty={kind === 'role' ? `No such role was defined, and nobody held ${name}.` : `${name} held no role.`}
    >
      <p>
        <strong>{name}</strong>
        {rules?.description !== undefined && <>: {rules.description}</>}. {ways.length} grants
        {kind === 'role' && <>; it opens {endpoints.length} endpoints</>}.{' '}
        {rules?.separateFrom?.map((other) => (
          <Badge key={other} color="grape.9" mr="xs">
            never together with {other}
          </Badge>
        ))}
      </p>
      {alike.length > 0 && (
        <Drawn alike={alike} onAbout={(about) => setQuery(new URLSearchParams(queryText({ about, at })))} />
      )}
      <VirtualTable
        label="Grants"
        rows={ways}
        keyOf={({ grant }) => grant}
        columns={[
          {
            head: 'Holder',
            cell: ({ subject }) => <AboutLink about={subject.replace(/#member$/, '')} />,
            by: ({ subject }) => subject,
          },
          {
            head: 'Role',
            cell: ({ role }) => <AboutLink about={`role:${role}`}>{role}</AboutLink>,
            by: ({ role }) => role,
          },
          { head: 'By', cell: ({ by }) => by, by: ({ by }) => by },
          { head: 'Reason', cell: ({ reason }) => reason, width: 'minmax(12rem, 2fr)' },
          { head: 'Since', cell: ({ issued = '' }) => <Moment at={issued} />, by: ({ issued = '' }) => issued },
          { head: 'Fact', cell: ({ fact }) => <FactLink fact={fact} />, by: ({ fact }) => fact, width: '7rem' },
        ]}
      />
    </Listed>
  );
};

const toAlike = (way: Way, endpoints: readonly string[]): Alike => {
  const group = /^(group:.*)#member$/.exec(way.subject)?.[1];
  return {
    key: way.grant,
    subjects: [group ?? way.subject],
    endpoints,
    conditional: way.conditions !== undefined,
    ways: [{ ...way, subject: group ?? way.subject }],
  };
};

export const AboutService = ({ name, at }: { readonly name: string; readonly at: string }) => {
  const model = useModel(at);
  const service = model.data?.services.find((each) => each.name === name);
  const roles = (id: string): string[] =>
    service === undefined
      ? []
      : (model.data?.roles ?? []).flatMap((role) =>
          endpointsOpened(role, { ...service, endpoints: service.endpoints.filter((each) => each.id === id) }).length >
          0
            ? [role.role]
            : [],
        );
  return (
    <Listed of={model} count={service?.endpoints.length ?? 0} empty={`There was no service ${name}.`}>
      <p>
        <strong>{name}</strong> below {service?.mount}: {service?.endpoints.length} endpoints.
      </p>
      <VirtualTable
        label={`Endpoints of ${name}`}
        rows={service?.endpoints ?? []}
        keyOf={({ id }) => id}
        columns={[
          { head: 'Endpoint', cell: ({ id }) => <AboutLink about={id} />, by: ({ id }) => id },
          {
            head: 'Call',
            cell: ({ method, template }) => (
              <code>
                {method} {service?.mount}
                {template}
              </code>
            ),
            by: ({ template }) => template,
            width: 'minmax(12rem, 2fr)',
          },
          {
            head: 'Access',
            cell: ({ access, public: open }) => (open === true ? 'public' : access),
            by: ({ access }) => access,
            width: '7rem',
          },
          {
            head: 'Roles that open it',
            cell: ({ id }) => (
              <Group gap="xs">
                {roles(id).map((role) => (
                  <AboutLink key={role} about={`role:${role}`}>
                    {role}
                  </AboutLink>
                ))}
              </Group>
            ),
            width: 'minmax(10rem, 2fr)',
          },
        ]}
      />
    </Listed>
  );
};
