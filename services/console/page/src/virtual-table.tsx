/** A table of any length: only the rows in sight are in the document. Sorted by a head where asked for; further pages are asked for in time. */
import {
  type ColumnDef,
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  type RowData,
  type SortingState,
  useReactTable,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef, useState } from 'react';

export type Column<Row> = {
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  /** Sorted by it, where a head is pressed. */
  readonly by?: (row: Row) => string | number;
  /** A track of CSS grid; `minmax(8rem, 1fr)` where none is given. */
  readonly width?: string;
};

export const VirtualTable = <Row extends RowData>({
  label,
  rows,
  columns,
  keyOf,
  rowHeight = 40,
  height = '60vh',
  onEnd,
  more,
}: {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  /** In px; every row has it. */
  readonly rowHeight?: number;
  readonly height?: string;
  /** Called when the last rows come into sight. */
  readonly onEnd?: () => void;
  /** More rows are there than are loaded. */
  readonly more?: boolean;
}) => {
  const [sorting, setSorting] = useState<SortingState>([]);
  const table = useReactTable({
    data: rows as Row[],
    columns: columns.map(
      ({ head, cell, by }): ColumnDef<Row> => ({
        id: head,
        header: head,
        cell: ({ row }) => cell(row.original),
        ...(by === undefined ? { enableSorting: false } : { accessorFn: by }),
      }),
    ),
    getRowId: keyOf,
    state: { sorting },
    onSortingChange: setSorting,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });
  const shown = table.getRowModel().rows;
  const scrolled = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scrolled.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: (index) => shown[index]?.id ?? index,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (more === true && last >= shown.length - 30) onEnd?.();
  }, [last, shown.length, more, onEnd]);
  const tracks = columns.map(({ width = 'minmax(8rem, 1fr)' }) => width).join(' ');
  return (
    <section
      className="virtual"
      ref={scrolled}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
      tabIndex={0}
      aria-label={label}
      style={{ height: `min(${height}, ${virtual.getTotalSize() + 44}px)` }}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: rows that stand at a place of their own cannot be a table's */}
      <div role="table" aria-label={label} aria-rowcount={more === true ? -1 : shown.length + 1}>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div role="rowgroup" className="virtual-head">
          {table.getHeaderGroups().map(({ id, headers }) => (
            // biome-ignore lint/a11y/useSemanticElements: as above
            // biome-ignore lint/a11y/useFocusableInteractive: the section scrolls, not the row
            <div role="row" key={id} aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
              {headers.map(({ id: head, column }) => {
                const sorted = column.getIsSorted();
                return (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  // biome-ignore lint/a11y/useFocusableInteractive: its button is
                  <div
                    role="columnheader"
                    key={head}
                    aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}
                  >
                    {column.getCanSort() ? (
                      <button type="button" onClick={column.getToggleSortingHandler()}>
                        {head} <span aria-hidden="true">{sorted === 'asc' ? '▲' : sorted === 'desc' ? '▼' : '↕'}</span>
                      </button>
                    ) : (
                      head
                    )}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div role="rowgroup" className="virtual-rows" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ key, index, start }) => {
            const row = shown[index];
            if (row === undefined) return null;
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: as above
              <div
                role="row"
                key={key}
                aria-rowindex={index + 2}
                className={index % 2 === 0 ? 'even' : undefined}
                style={{ gridTemplateColumns: tracks, height: rowHeight, transform: `translateY(${start}px)` }}
              >
                {row.getVisibleCells().map((cell) => (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  <div role="cell" key={cell.id}>
                    {flexRender(cell.column.columnDef.cell, cell.getContext())}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
};
