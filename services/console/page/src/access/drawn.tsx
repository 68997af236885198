import { SegmentedControl } from '@mantine/core';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { type PictureEdge, pictureOf } from './path-picture.ts';
import type { Alike } from './rights.ts';
import { GrantTold, Ways } from './ways.tsx';

const PathGraph = lazy(async () => ({ default: (await import('./path-graph.tsx')).PathGraph }));

/** The picture and the same in words; which of them is seen first is the viewer's choice. */
export const Drawn = ({
  alike,
  onAbout,
}: {
  readonly alike: readonly Alike[];
  readonly onAbout: (about: string) => void;
}) => {
  const [query, setQuery] = useSearchParams();
  const view = query.get('view') ?? 'both';
  const [edge, setEdge] = useState<PictureEdge>();
  const key = JSON.stringify(alike);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same content is the same picture
  const picture = useMemo(() => pictureOf(alike), [key]);
  if (alike.length === 0) return <p>Nothing of that name.</p>;
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label="How it is shown"
        data={[
          { value: 'both', label: 'Picture and list' },
          { value: 'picture', label: 'Picture' },
          { value: 'list', label: 'List' },
        ]}
        value={view}
        onChange={(value) => {
          query.set('view', value);
          setQuery(query, { replace: true });
        }}
        mb="xs"
      />
      {view !== 'list' && (
        <Suspense fallback={<div className="graph" />}>
          <PathGraph
            picture={picture}
            chosen={edge?.id}
            onEdge={setEdge}
            onNode={({ about }) => about !== undefined && onAbout(about)}
          />
          <p role="status" className="told">
            {edge?.way === undefined ? (
              'Press an arrow to see the grant that it is; press a box to go there.'
            ) : (
              <GrantTold way={edge.way} />
            )}
          </p>
          {picture.leftOut > 0 && <p>{picture.leftOut} more ways are in the list alone.</p>}
        </Suspense>
      )}
      {view !== 'picture' && <Ways alike={alike} />}
    </>
  );
};
