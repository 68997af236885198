/** Refusals by what they have in common, the most frequent first; each with the grant that comes nearest. */
import { Anchor, Badge, Button, Group, Paper, Title } from '@mantine/core';
import type { RefusalCause } from '@postern/schemas';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { askWhy, MissTold } from '../access/why.tsx';
import { queryText } from '../api.ts';
import { useMay } from '../may.ts';
import { legible } from '../names.ts';
import { whyQuery } from '../record/why-query.ts';
import { Moment } from '../shown.tsx';

const shownMax = 8;
/** A grant would help against these; against the others it would not. */
const byGrant = new Set(['no-grant', 'condition-unmet', 'context-missing']);

export const Causes = ({
  causes,
  onFilter,
}: {
  readonly causes: readonly RefusalCause[];
  readonly onFilter: (cause: RefusalCause) => void;
}) => {
  const most = Math.max(1, ...causes.map(({ count }) => count));
  return (
    <Paper withBorder p="md" className="causes">
      <Title order={2} size="h4" mb="xs">
        Refusals by cause
      </Title>
      {causes.length === 0 && <p>Nothing was refused.</p>}
      <ol>
        {causes.slice(0, shownMax).map((cause) => (
          <li key={JSON.stringify([cause.reason, cause.endpoint, cause.observed])}>
            <div className="cause-bar" aria-hidden="true">
              <span style={{ width: `${(100 * cause.count) / most}%` }} />
            </div>
            <Group justify="space-between" align="start" wrap="nowrap">
              <div>
                <strong>
                  {cause.count} × {cause.reason}
                </strong>{' '}
                at {cause.endpoint ?? 'no endpoint'} {cause.observed && <Badge color="yellow.9">observed only</Badge>}
                <div className="small">
                  {cause.callers === 1
                    ? legible(cause.who[0] ?? '')
                    : `${cause.callers} callers: ${cause.who.map(legible).join(', ')}`}
                  , last <Moment at={cause.example.at} /> (
                  <Anchor
                    component={Link}
                    to={`/record/decisions/${encodeURIComponent(cause.example.id)}`}
                    underline="always"
                    inherit
                  >
                    {cause.example.method} {cause.example.path}
                  </Anchor>
                  )
                </div>
                <Nearest cause={cause} />
              </div>
              <Button
                size="compact-xs"
                variant="default"
                flex="none"
                onClick={() => onFilter(cause)}
                aria-label={`Show ${cause.reason} at ${cause.endpoint ?? 'no endpoint'}`}
              >
                Show
              </Button>
            </Group>
          </li>
        ))}
      </ol>
      {causes.length > shownMax && <p>and {causes.length - shownMax} more causes.</p>}
    </Paper>
  );
};

const Nearest = ({ cause: { reason, example } }: { readonly cause: RefusalCause }) => {
  const may = useMay();
  const { at: _, ...asked } = whyQuery(example);
  const judged = useQuery({
    queryKey: ['nearest', example.principal, example.credential, example.method, example.path],
    queryFn: () => askWhy({ ...asked, time: '' }),
    enabled: may('can') && byGrant.has(reason) && asked['subject'] !== '',
    staleTime: 60_000,
    retry: false,
  });
  if (judged.data === undefined || !byGrant.has(reason)) return null;
  const { decision, explanation } = judged.data;
  if (decision === 'allow') return <div className="small">By now it would be allowed.</div>;
  const miss = explanation?.outcome === 'deny' ? explanation.misses[0] : undefined;
  return (
    <div className="small">
      {miss === undefined ? (
        'No role opens it.'
      ) : (
        <>
          Nearest: <MissTold miss={miss} />
        </>
      )}{' '}
      <Anchor component={Link} to={`/access/why${queryText({ ...asked, time: '' })}`} underline="always" inherit>
        why?
      </Anchor>
    </div>
  );
};
