/** The model as it is live or was: roles and endpoints with their use and what nobody uses, and the schema's text. */
import { Badge, Code, Group, Select, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { AboutLink } from '../access/ways.tsx';
import { useMay } from '../may.ts';
import { DebouncedInput } from '../record/debounced-input.tsx';
import { Listed, Moment } from '../shown.tsx';
import { modelPages, SubPages } from '../sub-pages.tsx';
import { TimeBar } from '../time/time-bar.tsx';
import { VirtualTable } from '../virtual-table.tsx';
import { type Model as AModel, allowanceText, endpointsOpened, type NamedRole, useModel } from './live-model.ts';
import { type Uses, usesSince } from './uses.ts';

const dayMs = 86_400_000;

export const Model = () => {
  const may = useMay();
  const [query, setQuery] = useSearchParams();
  const wanted = query.get('only') ?? '';
  const [at, tab, days] = [query.get('at') ?? '', query.get('tab') ?? 'roles', query.get('days') ?? '90'];
  const model = useModel(at);
  const uses = useQuery({
    queryKey: ['uses', days],
    queryFn: () => usesSince(new Date(Date.now() - Number(days) * dayMs).toISOString()),
    enabled: at === '' && may('findLastUses'),
    staleTime: 60_000,
  });
  const set = (name: string, value: string) => {
    if (value === '') query.delete(name);
    else query.set(name, value);
    setQuery(query, { replace: true });
  };
  return (
    <>
      <SubPages title="Model" of={modelPages} />
      <TimeBar />
      <Listed
        of={model}
        count={(model.data?.roles.length ?? 0) + (model.data?.services.length ?? 0)}
        empty="Nothing had been published by then."
      >
        <Group align="end" mb="sm">
          <DebouncedInput
            label="Only with"
            placeholder="payroll"
            value={wanted}
            onChange={(value) => set('only', value)}
          />
          {at === '' && (
            <Select
              label="Use counts of the last"
              data={[
                { value: '7', label: '7 days' },
                { value: '30', label: '30 days' },
                { value: '90', label: '90 days' },
                { value: '365', label: '365 days' },
              ]}
              value={days}
              onChange={(value) => set('days', value ?? '90')}
              comboboxProps={{ withinPortal: false }}
              w="12rem"
            />
          )}
        </Group>
        {model.data !== undefined && (
          <Tabs value={tab} onChange={(value) => set('tab', value ?? 'roles')} keepMounted={false}>
            <Tabs.List>
              <Tabs.Tab value="roles">Roles ({model.data.roles.length})</Tabs.Tab>
              <Tabs.Tab value="routes">
                Routes ({model.data.services.reduce((sum, { endpoints }) => sum + endpoints.length, 0)})
              </Tabs.Tab>
              <Tabs.Tab value="schema">Schema</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="roles" pt="sm">
              <Roles model={model.data} wanted={wanted.toLowerCase()} uses={at === '' ? uses.data : undefined} />
            </Tabs.Panel>
            <Tabs.Panel value="routes" pt="sm">
              <Endpoints model={model.data} wanted={wanted.toLowerCase()} uses={at === '' ? uses.data : undefined} />
            </Tabs.Panel>
            <Tabs.Panel value="schema" pt="sm">
              {model.data.schema === null ? (
                <p>No schema had been published.</p>
              ) : (
                <Code block className="schema" tabIndex={0}>
                  {model.data.schema}
                </Code>
              )}
            </Tabs.Panel>
          </Tabs>
        )}
      </Listed>
    </>
  );
};

type RoleRow = NamedRole & { readonly opens: number; readonly used: number | undefined };

type TableOf = { readonly model: AModel; readonly wanted: string; readonly uses: Uses | undefined };

const Roles = ({ model, wanted, uses }: TableOf) => {
  const has = ({ role, description = '' }: NamedRole) => `${role} ${description}`.toLowerCase().includes(wanted);
  const rows = model.roles.filter(has).map((role): RoleRow => {
    const opened = model.services.flatMap((service) => endpointsOpened(role, service));
    return {
      ...role,
      opens: opened.length,
      // By anybody, through whatever role: an endpoint that nobody calls is used through none.
      used: uses === undefined ? undefined : opened.filter(({ id }) => uses.has(id)).length,
    };
  });
  return (
    <VirtualTable
      label="Roles"
      rows={rows}
      keyOf={({ role }) => role}
      rowHeight={46}
      columns={[
        {
          head: 'Role',
          cell: ({ role }) => <AboutLink about={`role:${role}`}>{role}</AboutLink>,
          by: ({ role }) => role,
        },
        { head: 'What it is for', cell: ({ description = '' }) => description, width: 'minmax(12rem, 2fr)' },
        { head: 'Allows', cell: ({ allows }) => allows.map(allowanceText).join(', '), width: 'minmax(12rem, 2fr)' },
        { head: 'Opens', cell: ({ opens }) => opens, by: ({ opens }) => opens, width: '6rem' },
        ...(uses === undefined
          ? []
          : [
              {
                head: 'In use',
                cell: ({ opens, used = 0 }: RoleRow) => <Share of={opens} is={used} />,
                by: ({ opens, used = 0 }: RoleRow) => (opens === 0 ? 0 : used / opens),
                width: '9rem',
              },
            ]),
        ...(model.roles.every(({ grants }) => grants === undefined)
          ? []
          : [
              {
                head: 'Grants',
                cell: ({ grants = 0 }: RoleRow) => (grants === 0 ? <Badge color="gray.8">nobody</Badge> : grants),
                by: ({ grants = 0 }: RoleRow) => grants,
                width: '7rem',
              },
              {
                head: 'From',
                cell: ({ fromFiles }: RoleRow) => (fromFiles === true ? 'files' : 'the API'),
                by: ({ fromFiles }: RoleRow) => String(fromFiles),
                width: '6rem',
              },
            ]),
      ]}
    />
  );
};

const Share = ({ of, is }: { readonly of: number; readonly is: number }) => (
  <span className="share" title={`${is} of ${of} endpoints were called`}>
    <span className="share-bar">
      <span style={{ width: `${of === 0 ? 0 : (100 * is) / of}%` }} />
    </span>
    {is === 0 ? <Badge color="gray.8">dormant</Badge> : `${is} of ${of}`}
  </span>
);

const Endpoints = ({ model, wanted, uses }: TableOf) => {
  const rows = model.services.flatMap(({ mount, endpoints }) =>
    endpoints
      .map((endpoint) => ({ ...endpoint, path: `${mount}${endpoint.template}`, use: uses?.get(endpoint.id) }))
      .filter(({ id, path }) => `${id} ${path}`.toLowerCase().includes(wanted)),
  );
  type Row = (typeof rows)[number];
  return (
    <VirtualTable
      label="Routes"
      rows={rows}
      keyOf={({ id }) => id}
      columns={[
        {
          head: 'Endpoint',
          cell: ({ id }) => <AboutLink about={id} />,
          by: ({ id }) => id,
          width: 'minmax(12rem, 1.5fr)',
        },
        {
          head: 'Call',
          cell: ({ method, path }) => (
            <code>
              {method} {path}
            </code>
          ),
          by: ({ path }) => path,
          width: 'minmax(12rem, 2fr)',
        },
        {
          head: 'Access',
          cell: ({ access, public: open }) => (open === true ? 'public' : access),
          by: ({ access }) => access,
          width: '7rem',
        },
        {
          head: 'Object rule',
          cell: ({ objects = [] }) => objects.map(({ type, permission }) => `${type}#${permission}`).join(', '),
        },
        ...(uses === undefined
          ? []
          : [
              {
                head: 'Callers',
                cell: ({ use }: Row) => (use === undefined ? <Badge color="gray.8">dormant</Badge> : use.callers),
                by: ({ use }: Row) => use?.callers ?? 0,
                width: '7rem',
              },
              {
                head: 'Last called',
                cell: ({ use }: Row) => (use === undefined ? '' : <Moment at={use.last} />),
                by: ({ use }: Row) => use?.last ?? '',
                width: '13rem',
              },
            ]),
      ]}
    />
  );
};
