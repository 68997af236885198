/** What every page shows alike: moments, ids, tables, and the states of a list that has no rows to show. */
import { Alert, Button, Loader, Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiFailure } from './api.ts';

const here = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** In the viewer's zone; in UTC where the pointer rests on it. */
export const Moment = ({ at }: { readonly at: string }) => {
  const date = new Date(at);
  return (
    <time dateTime={at} title={Number.isNaN(date.getTime()) ? at : date.toISOString()}>
      {Number.isNaN(date.getTime()) ? at : here.format(date)}
    </time>
  );
};

export const Id = ({ text }: { readonly text: string }) => (
  <button type="button" className="copy" title="Copy" onClick={() => void navigator.clipboard.writeText(text)}>
    {text}
  </button>
);

export const Loading = () => <Loader aria-label="Loading" my="md" />;

type Asked = {
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly data?: unknown;
  readonly refetch?: () => unknown;
};

/** The rows, or why there are none. */
export const Listed = ({
  of: { isPending, error, data, refetch },
  count,
  empty,
  children,
}: {
  readonly of: Asked;
  readonly count: number;
  readonly empty: string;
  readonly children: ReactNode;
}) => {
  if (isPending) return <Loading />;
  if (error instanceof ApiFailure && error.status === 403)
    return (
      <Alert color="yellow" title="You may not see this" my="md">
        {error.message}
      </Alert>
    );
  if (error) {
    const why = (
      <Alert
        color="red"
        title={data === undefined ? 'This could not be loaded' : 'This is as it was; it could not be loaded anew'}
        role="alert"
        my="md"
      >
        {error.message}{' '}
        {refetch && (
          <Button size="compact-sm" variant="default" onClick={() => void refetch()}>
            Try again
          </Button>
        )}
      </Alert>
    );
    // What was there stays, and so does whatever is being typed into it.
    if (data === undefined) return why;
    return (
      <>
        {why}
        {count === 0 ? <p>{empty}</p> : children}
      </>
    );
  }
  return count === 0 ? <p>{empty}</p> : children;
};

/** A table of `Table.Tr`, which scrolls in itself where the window is narrow. */
export const Rows = ({
  label,
  columns,
  children,
}: {
  readonly label: string;
  readonly columns: readonly string[];
  readonly children: ReactNode;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
  <section className="scroll" tabIndex={0} aria-label={label}>
    <Table striped>
      <Table.Thead>
        <Table.Tr>
          {columns.map((each) => (
            <Table.Th key={each}>{each}</Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>{children}</Table.Tbody>
    </Table>
  </section>
);
