/** The pages below one page; the moment that is looked at goes along. */
import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { NavLink, useLocation, useSearchParams } from 'react-router';
import { queryText } from './api.ts';

export const accessPages = [
  ['/access', 'Find'],
  ['/access/matrix', 'Matrix'],
  ['/access/why', 'Why not'],
] as const;
export const timePages = [
  ['/time', 'Moment'],
  ['/time/difference', 'Difference'],
  ['/time/life', 'A life'],
] as const;
export const modelPages = [
  ['/model', 'As it is'],
  ['/model/preview', 'Preview of a change'],
] as const;

export const SubPages = ({
  title,
  of,
  keep = ['at'],
  children,
}: {
  readonly title: string;
  /** Path and name of each. */
  readonly of: readonly (readonly [string, string])[];
  /** Members of the query that mean the same on all of them. */
  readonly keep?: readonly string[];
  readonly children?: ReactNode;
}) => {
  const [query] = useSearchParams();
  const { pathname } = useLocation();
  const here = of.find(([path]) => path === pathname)?.[1];
  const kept = Object.fromEntries(keep.map((name) => [name, query.get(name) ?? '']));
  return (
    <header className="sub">
      <title>{`${title}${here === undefined ? '' : `: ${here}`} · Postern`}</title>
      <Title order={1} size="h2">
        {title}
      </Title>
      <nav aria-label={title}>
        {of.map(([path, name]) => (
          <NavLink key={path} to={`${path}${queryText(kept)}`} end>
            {name}
          </NavLink>
        ))}
      </nav>
      {children}
    </header>
  );
};
