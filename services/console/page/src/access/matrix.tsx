/** Services and roles as a matrix of any size: what is in sight is drawn, heads stay, a cell says how much of the service the role opens. */
import { Group, Switch, TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { queryText } from '../api.ts';
import { endpointsOpened, type NamedRole, useModel } from '../model/live-model.ts';
import { Listed } from '../shown.tsx';
import { accessPages, SubPages } from '../sub-pages.tsx';
import { TimeBar } from '../time/time-bar.tsx';
import { type Cell, type Cells, cellOf } from './matrix-cells.ts';

const [cellWidth, cellHeight, headWidth, headHeight] = [38, 30, 190, 150];

export const Matrix = () => {
  const [query, setQuery] = useSearchParams();
  const at = query.get('at') ?? '';
  const [service, role] = [query.get('service') ?? '', query.get('role') ?? ''];
  const used = query.get('opened') === 'yes';
  const model = useModel(at);
  const set = (name: string, value: string) => {
    if (value === '') query.delete(name);
    else query.set(name, value);
    setQuery(query, { replace: true });
  };
  const cells = useMemo((): Cells => {
    const has = (text: string, wanted: string) => text.toLowerCase().includes(wanted.toLowerCase());
    const services = (model.data?.services ?? []).filter(({ name }) => has(name, service));
    const roles = (model.data?.roles ?? []).filter((each) => has(each.role, role));
    const known = new Map<string, Cell>();
    const at = (one: (typeof services)[number], other: NamedRole): Cell => {
      const key = `${one.name} ${other.role}`;
      const cell = known.get(key) ?? cellOf(one, other, endpointsOpened);
      known.set(key, cell);
      return cell;
    };
    return {
      services: used ? services.filter((one) => roles.some((other) => at(one, other).opens > 0)) : services,
      roles: used ? roles.filter((other) => services.some((one) => at(one, other).opens > 0)) : roles,
      at,
    };
  }, [model.data, service, role, used]);
  return (
    <>
      <SubPages title="Access" of={accessPages} keep={['at']} />
      <Group align="end" mb="xs">
        <TextInput label="Services with" value={service} onChange={(event) => set('service', event.target.value)} />
        <TextInput label="Roles with" value={role} onChange={(event) => set('role', event.target.value)} />
        <Switch
          label="Only where something is opened"
          checked={used}
          onChange={(event) => set('opened', event.currentTarget.checked ? 'yes' : '')}
        />
      </Group>
      <TimeBar />
      <Listed of={model} count={cells.services.length * cells.roles.length} empty="No service and role of these names.">
        <p>
          {cells.services.length} services × {cells.roles.length} roles. A cell says how many of the service’s endpoints
          the role opens: <b className="swatch read">read</b> <b className="swatch write">write</b>{' '}
          <b className="swatch admin">admin</b> <b className="swatch some">named ones</b>. Move with the arrow keys.
        </p>
        <Grid cells={cells} at={at} />
      </Listed>
    </>
  );
};

const Grid = ({ cells: { services, roles, at: cellAt }, at }: { readonly cells: Cells; readonly at: string }) => {
  const scrolled = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const [focus, setFocus] = useState<readonly [number, number]>([0, 0]);
  const moved = useRef(false);
  const rows = useVirtualizer({
    count: services.length,
    getScrollElement: () => scrolled.current,
    estimateSize: () => cellHeight,
    overscan: 6,
    scrollPaddingStart: headHeight,
  });
  const columns = useVirtualizer({
    horizontal: true,
    count: roles.length,
    getScrollElement: () => scrolled.current,
    estimateSize: () => cellWidth,
    overscan: 6,
    scrollPaddingStart: headWidth,
  });
  // The cell may have come into the document with this very move.
  useEffect(() => {
    if (!moved.current) return;
    const [row, column] = focus;
    requestAnimationFrame(() =>
      scrolled.current?.querySelector<HTMLElement>(`[data-cell="${row} ${column}"]`)?.focus({ preventScroll: true }),
    );
  }, [focus]);
  const move = (event: KeyboardEvent) => {
    const [row, column] = focus;
    const to = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, roles.length - 1],
      PageUp: [row - 10, column],
      PageDown: [row + 10, column],
    }[event.key];
    const [service, role] = [services[row], roles[column]];
    if (event.key === 'Enter' && service !== undefined && role !== undefined)
      void navigate(`/access${queryText({ about: `role:${role.role}`, at })}`);
    if (to === undefined) return;
    event.preventDefault();
    const next = [
      Math.min(services.length - 1, Math.max(0, to[0] ?? 0)),
      Math.min(roles.length - 1, Math.max(0, to[1] ?? 0)),
    ] as const;
    moved.current = true;
    setFocus(next);
    rows.scrollToIndex(next[0]);
    columns.scrollToIndex(next[1]);
  };
  const [row, column] = focus;
  const [service, role] = [services[row], roles[column]];
  const told = service !== undefined && role !== undefined ? cellAt(service, role) : undefined;
  return (
    <>
      <p role="status" className="told">
        {told === undefined ? '' : `${role?.role} on ${service?.name}: ${told.says}`}
      </p>
      <div className="matrix" ref={scrolled}>
        {/* biome-ignore lint/a11y/useSemanticElements: cells stand at places of their own */}
        <div
          role="grid"
          aria-label="Services and roles"
          aria-rowcount={services.length + 1}
          aria-colcount={roles.length + 1}
          tabIndex={-1}
          onKeyDown={move}
          style={{ width: headWidth + columns.getTotalSize(), height: headHeight + rows.getTotalSize() }}
        >
          {/* biome-ignore lint/a11y/useSemanticElements: as above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: its cells are */}
          <div role="row" aria-rowindex={1} className="matrix-heads" style={{ height: headHeight }}>
            {/* biome-ignore lint/a11y/useSemanticElements: as above */}
            {/* biome-ignore lint/a11y/useFocusableInteractive: nothing is done with it */}
            <div role="columnheader" className="matrix-corner" style={{ width: headWidth, height: headHeight }}>
              Service
            </div>
            {columns.getVirtualItems().map(({ index, start }) => (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: as above
              <div
                role="columnheader"
                key={index}
                aria-colindex={index + 2}
                className={index === column ? 'matrix-column at' : 'matrix-column'}
                title={roles[index]?.description ?? roles[index]?.role}
                style={{ transform: `translateX(${headWidth + start}px)`, width: cellWidth, height: headHeight }}
              >
                <span>{roles[index]?.role}</span>
              </div>
            ))}
          </div>
          {rows.getVirtualItems().map(({ index: y, start: top }) => (
            // biome-ignore lint/a11y/useSemanticElements: as above
            // biome-ignore lint/a11y/useFocusableInteractive: as above
            <div
              role="row"
              key={y}
              aria-rowindex={y + 2}
              className="matrix-row"
              style={{ transform: `translateY(${headHeight + top}px)`, height: cellHeight }}
            >
              {/* biome-ignore lint/a11y/useSemanticElements: as above */}
              {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
              <div
                role="rowheader"
                className={y === row ? 'matrix-service at' : 'matrix-service'}
                style={{ width: headWidth }}
                title={services[y]?.name}
              >
                {services[y]?.name}
              </div>
              {columns.getVirtualItems().map(({ index: x, start: left }) => {
                const [one, other] = [services[y], roles[x]];
                if (one === undefined || other === undefined) return null;
                const { opens, kind, says } = cellAt(one, other);
                return (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  <div
                    role="gridcell"
                    key={x}
                    aria-colindex={x + 2}
                    aria-label={`${other.role} on ${one.name}: ${says}`}
                    title={`${other.role} on ${one.name}: ${says}`}
                    data-cell={`${y} ${x}`}
                    tabIndex={y === row && x === column ? 0 : -1}
                    className={`matrix-cell ${kind}`}
                    onFocus={() => setFocus([y, x])}
                    onMouseEnter={() => setFocus([y, x])}
                    style={{ transform: `translateX(${headWidth + left}px)`, width: cellWidth, height: cellHeight }}
                  >
                    {opens > 0 ? opens : ''}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      </div>
    </>
  );
};
