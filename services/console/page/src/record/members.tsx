/** Members of something as names and values, whatever they are. */
import type { ReactNode } from 'react';
import { isValidElement } from 'react';

export const Members = ({ of }: { readonly of: Readonly<Record<string, unknown>> }) => (
  <dl className="members">
    {Object.entries(of).flatMap(([name, value]) =>
      value === undefined || value === null
        ? []
        : [
            <div key={name}>
              <dt>{name}</dt>
              <dd>{shown(value)}</dd>
            </div>,
          ],
    )}
  </dl>
);

const shown = (value: unknown): ReactNode => {
  if (isValidElement(value)) return value;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return <code>{JSON.stringify(value)}</code>;
};
