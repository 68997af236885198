/** One field that finds any subject, group, role, service or endpoint by part of its name. */
import { Autocomplete, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { askJson, queryText } from '../api.ts';
import { useMay } from '../may.ts';
import { legible } from '../names.ts';
import { aboutText } from './rights.ts';

type Named = { readonly kind: string; readonly name: string; readonly says?: string };
type Answer = { readonly items: readonly Named[]; readonly more: boolean };

export const Find = ({
  label,
  value,
  onChoose,
  kind = '',
}: {
  readonly label: string;
  readonly value: string;
  /** The whole name: `user:bob`, `role:reader`. */
  readonly onChoose: (about: string) => void;
  readonly kind?: string;
}) => {
  const may = useMay();
  const [typed, setTyped] = useState(value);
  const [before, setBefore] = useState(value);
  // What is looked at changed elsewhere: by a link, or by going back.
  if (before !== value) {
    setBefore(value);
    setTyped(value);
  }
  const [text] = useDebouncedValue(typed.trim().replace(/^(role|service):/, ''), 150);
  const found = useQuery({
    queryKey: ['names', text, kind],
    queryFn: () => askJson<Answer>(`/names${queryText({ text, kind, limit: '12' })}`),
    enabled: text !== '' && may('findNames'),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const items = new Map(
    (text === '' ? [] : (found.data?.items ?? [])).map((each) => [aboutText(each.kind, each.name), each]),
  );
  return (
    <Autocomplete
      label={label}
      placeholder="a name, or part of one: ann, payroll, GET /employees"
      value={typed}
      onChange={setTyped}
      data={[...items.keys()]}
      filter={({ options }) => options}
      onOptionSubmit={onChoose}
      onKeyDown={(event) => {
        // Whoever knows the name needs no list.
        if (event.key === 'Enter' && !event.defaultPrevented && typed.trim() !== '') onChoose(typed.trim());
      }}
      maxDropdownHeight={640}
      comboboxProps={{ withinPortal: false }}
      renderOption={({ option }) => {
        const named = items.get(option.value);
        return (
          <span className="found">
            <span className="kind">{named?.kind}</span> <span>{legible(named?.name ?? '')}</span>{' '}
            {named?.says !== undefined && (
              <Text span size="xs" c="dimmed">
                {named.says}
              </Text>
            )}
          </span>
        );
      }}
      className="find"
    />
  );
};
