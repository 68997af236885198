/** The items in the order that the reviewer wants. */

import {
  type ColumnDef,
  getCoreRowModel,
  getFilteredRowModel,
  getSortedRowModel,
  useReactTable,
} from '@tanstack/react-table';
import { useMemo } from 'react';
import { legible } from '../names.ts';
import type { Item } from './asked.ts';

export const orders = {
  subject: 'by who holds it',
  role: 'by role',
  used: 'longest unused first',
  given: 'oldest first',
} as const;
export type Order = keyof typeof orders;

const columns: ColumnDef<Item>[] = [
  { id: 'subject', accessorFn: ({ subject, role }) => `${subject} ${role}` },
  { id: 'role', accessorFn: ({ role, subject }) => `${role} ${subject}` },
  // What was never used comes before what was used long ago, and what is not known last.
  {
    id: 'used',
    accessorFn: ({ lastUsed = '~' }) => (lastUsed === 'never' ? '' : lastUsed === 'unknown' ? '~' : lastUsed),
  },
  { id: 'given', accessorFn: ({ cameAbout }) => cameAbout.at },
  {
    id: 'text',
    accessorFn: ({ subject, role, cameAbout }) =>
      `${legible(subject)} ${role} ${legible(cameAbout.by)} ${cameAbout.reason ?? ''}`,
  },
];
const every = (text: string, find: string): boolean => {
  const within = text.toLowerCase();
  return find
    .toLowerCase()
    .split(/\s+/)
    .every((word) => within.includes(word));
};

/** All that hold every word of `find`. */
export const useSortedItems = (items: readonly Item[], order: Order, find: string): readonly Item[] => {
  // A new array would be a new order, with every drawing.
  const sorting = useMemo(() => [{ id: order, desc: false }], [order]);
  const table = useReactTable({
    data: items as Item[],
    columns,
    getRowId: ({ grant }) => grant,
    state: { sorting, globalFilter: find.trim() },
    // There are no pages to go back to the first of, and going back is drawing anew.
    autoResetAll: false,
    globalFilterFn: (row, _, text: string) => every(String(row.getValue('text')), text),
    getColumnCanGlobalFilter: ({ id }) => id === 'text',
    getCoreRowModel: getCoreRowModel(),
    getFilteredRowModel: getFilteredRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });
  return table.getRowModel().rows.map(({ original }) => original);
};
