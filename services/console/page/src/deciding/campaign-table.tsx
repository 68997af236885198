/** The items of a campaign: a list box of any length, of which only what is in sight is in the document. */

import { Badge } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { legible } from '../names.ts';
import { Moment } from '../shown.tsx';
import type { Item } from './asked.ts';
import { verdictKeys } from './campaign-keys.tsx';
import type { Marks, Verdict } from './marks.ts';

export type TableHandle = { readonly focus: () => void; readonly step: (by: number) => void };
type Props = {
  readonly ref: Ref<TableHandle>;
  readonly items: readonly Item[];
  readonly marks: Marks;
  readonly selected: ReadonlySet<string>;
  readonly at: number;
  readonly onAt: (at: number) => void;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
  readonly onVerdict: (verdict: Verdict, again: boolean) => void;
  readonly onUndo: () => void;
  readonly onSend: () => void;
  readonly onFind: () => void;
  readonly onHelp: () => void;
};

const rowHeight = 64;
const colors = { keep: 'green.9', revoke: 'red.9', shorten: 'yellow.9' } as const;

export const CampaignTable = ({ ref, items, marks, selected, at, onAt, onSelect, onVerdict, ...on }: Props) => {
  const list = useRef<HTMLDivElement>(null);
  const [anchor, setAnchor] = useState<number>();
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => list.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  });
  const to = (next: number) => onAt(Math.max(0, Math.min(items.length - 1, next)));
  useImperativeHandle(ref, () => ({ focus: () => list.current?.focus(), step: (by) => to(at + by) }));
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at);
  }, [at, virtual]);
  const toggled = (grants: readonly string[], on: boolean): void => {
    const next = new Set(selected);
    for (const grant of grants)
      if (on) next.add(grant);
      else next.delete(grant);
    onSelect(next);
  };
  const select = (index: number, range: boolean): void => {
    const grant = items[index]?.grant;
    if (grant === undefined) return;
    if (range && anchor !== undefined) {
      const [from, until] = [Math.min(anchor, index), Math.max(anchor, index)];
      toggled(
        items.slice(from, until + 1).map((item) => item.grant),
        true,
      );
    } else toggled([grant], !selected.has(grant));
    setAnchor(index);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.altKey || event.metaKey) return;
    if (event.key === 'Enter' && event.ctrlKey) on.onSend();
    else if (event.ctrlKey) return;
    else if (event.key === 'j' || event.key === 'ArrowDown') to(at + 1);
    else if (event.key === 'k' || event.key === 'ArrowUp') to(at - 1);
    else if (event.key === 'PageDown') to(at + 10);
    else if (event.key === 'PageUp') to(at - 10);
    else if (event.key === 'Home') to(0);
    else if (event.key === 'End') to(items.length - 1);
    else if (event.key === 'x' || event.key === ' ') select(at, false);
    else if (event.key === 'X') select(at, true);
    else if (event.key === 'a') onSelect(selected.size > 0 ? new Set() : new Set(items.map(({ grant }) => grant)));
    else if (event.key === 'u') on.onUndo();
    else if (event.key === '/') on.onFind();
    else if (event.key === '?') on.onHelp();
    else {
      const verdict = verdictKeys.find(({ key }) => key === event.key.toLowerCase());
      if (verdict === undefined) return;
      onVerdict(verdict.verdict, event.key !== event.key.toLowerCase());
    }
    event.preventDefault();
  };
  if (items.length === 0) return <p>None of them matches.</p>;
  return (
    <div
      ref={list}
      role="listbox"
      aria-label="What you decide about"
      aria-multiselectable="true"
      aria-activedescendant={`item-${at}`}
      tabIndex={0}
      className="items"
      onKeyDown={pressed}
    >
      <div className="rows" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const item = items[index];
          if (item === undefined) return null;
          const { grant, subject, role, cameAbout, lastUsed, conditions } = item;
          const mark = marks.marks[grant];
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list box has the keys
            // biome-ignore lint/a11y/useFocusableInteractive: the list box has the focus, and says which one is active
            <div
              key={grant}
              id={`item-${index}`}
              role="option"
              aria-selected={selected.has(grant)}
              aria-setsize={items.length}
              aria-posinset={index + 1}
              className={index === at ? 'item at' : 'item'}
              style={{ height: rowHeight, transform: `translateY(${start}px)` }}
              onClick={(event) => {
                onAt(index);
                if (event.shiftKey || event.ctrlKey || event.metaKey) select(index, event.shiftKey);
              }}
            >
              <span className="tick" aria-hidden="true">
                {selected.has(grant) ? '☑' : '☐'}
              </span>
              <span className="what">
                <bdi>
                  <strong>{legible(subject)}</strong>
                </bdi>{' '}
                <bdi>{role}</bdi>
                {conditions?.until !== undefined && (
                  <>
                    {' '}
                    until <Moment at={conditions.until} />
                  </>
                )}
              </span>
              <span className="mark">
                {mark && (
                  <Badge color={colors[mark.verdict]} title={mark.reason}>
                    {mark.verdict}
                  </Badge>
                )}
              </span>
              <span className="how">
                {lastUsed === undefined || lastUsed === 'unknown' ? (
                  'use unknown'
                ) : lastUsed === 'never' ? (
                  <strong>never used</strong>
                ) : (
                  <>
                    used <Moment at={lastUsed} />
                  </>
                )}
                ; {cameAbout.as} by <bdi>{legible(cameAbout.by)}</bdi>, <Moment at={cameAbout.at} />
                {cameAbout.reason !== undefined && (
                  <>
                    : <q dir="auto">{cameAbout.reason}</q>
                  </>
                )}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
};
