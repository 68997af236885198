/** A preview's outcome as before and after: the file is read here, and goes nowhere. */
import { Alert, Badge, FileButton, Group, Paper, Title } from '@mantine/core';
import { type DragEvent, useState } from 'react';
import { AboutLink } from '../access/ways.tsx';
import { Moment } from '../shown.tsx';
import { modelPages, SubPages } from '../sub-pages.tsx';
import { type Flip, groupsOf, type PreviewFile, type ReadPreview, readPreview } from './preview-file.ts';

const titles = {
  'deny-to-allow': ['Would be let in', 'refused', 'allowed'],
  'allow-to-deny': ['Would be refused', 'allowed', 'refused'],
} as const satisfies Record<Flip['direction'], readonly string[]>;
const shownMax = 100;
const namedMax = 8;

export const Preview = () => {
  const [read, setRead] = useState<ReadPreview & { readonly name: string }>();
  const [over, setOver] = useState(false);
  const take = (file: File | null | undefined) => {
    if (file) void readPreview(file).then((found) => setRead({ ...found, name: file.name }));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <>
      <SubPages title="Model" of={modelPages} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is one more way; the button beside it is for everybody */}
      <div
        className={over ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <p>
          Drop the outcome of <code>postern preview --format json</code> here, as CI keeps it; it is read in this
          browser alone.
        </p>
        <FileButton
          onChange={take}
          accept="application/json,.json"
          inputProps={{ 'aria-label': 'A preview’s outcome' }}
        >
          {(props) => (
            <button type="button" {...props}>
              Choose a file
            </button>
          )}
        </FileButton>
      </div>
      {read?.outcome === 'unreadable' && (
        <Alert color="red" role="alert" mt="md" title={`${read.name} cannot be shown`}>
          {read.why}
        </Alert>
      )}
      {read?.outcome === 'read' && <Outcome name={read.name} preview={read.preview} />}
    </>
  );
};

const Outcome = ({ name, preview }: { readonly name: string; readonly preview: PreviewFile }) => (
  <section aria-label={name}>
    <Title order={2} size="h3" mt="md">
      {preview.verdict}
    </Title>
    <p>
      {name}: {preview.read.toLocaleString()} recorded calls
      {preview.from !== undefined && preview.until !== undefined && (
        <>
          {' '}
          from <Moment at={preview.from} /> to <Moment at={preview.until} />
        </>
      )}
      , {preview.distinct.toLocaleString()} pairs of caller and endpoint.
    </p>
    {(preview.undecided > 0 || preview.leftOut.length > 0) && (
      <Alert color="yellow" title="What it does not say" mb="md">
        <ul>
          {preview.undecided > 0 && (
            <li>{preview.undecided} answers that the engine could not give count as refused</li>
          )}
          {preview.leftOut.map(({ why, uses }) => (
            <li key={why}>
              {uses} calls were not asked about: {why}
            </li>
          ))}
        </ul>
      </Alert>
    )}
    {(['deny-to-allow', 'allow-to-deny'] as const).map((direction) => (
      <Flips key={direction} direction={direction} preview={preview} />
    ))}
  </section>
);

const Flips = ({ direction, preview }: { readonly direction: Flip['direction']; readonly preview: PreviewFile }) => {
  const groups = groupsOf(preview, direction);
  const [title, before, after] = titles[direction];
  return (
    <>
      <Title order={3} size="h4" my="sm">
        {title} ({groups.length})
      </Title>
      {groups.length === 0 && <p>Nobody.</p>}
      {groups.slice(0, shownMax).map((group) => (
        <Paper withBorder p="sm" mb="sm" key={JSON.stringify([group.live, group.here, group.causes])}>
          <Group justify="space-between" align="start">
            <div>
              <strong>
                {group.live !== undefined && group.live !== group.here && <>{group.live} → </>}
                {group.here === undefined ? 'no endpoint' : <AboutLink about={group.here} />}
              </strong>{' '}
              {group.wanted && <Badge color="gray.8">wanted</Badge>}
              <p>
                {group.callers.slice(0, namedMax).join(', ')}
                {group.callers.length > namedMax && <> and {group.callers.length - namedMax} more</>}
              </p>
              <ul>
                {group.causes.map(({ what, place }) => (
                  <li key={what}>
                    {what} {place !== undefined && <code>{place}</code>}
                  </li>
                ))}
              </ul>
              <small>
                {group.uses} calls, last <Moment at={group.last} />, for instance <code>{group.example}</code>
              </small>
            </div>
            <ol className="before-after" aria-label="before and after">
              <li className={before}>{before}</li>
              <li className={after}>{after}</li>
            </ol>
          </Group>
        </Paper>
      ))}
      {groups.length > shownMax && <p>and {groups.length - shownMax} more in the file.</p>}
    </>
  );
};
