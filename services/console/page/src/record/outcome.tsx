/** What became of a request, in a word and a colour. */
import { Badge } from '@mantine/core';
import type { DecisionRecord } from '@postern/schemas';

const colors = { allow: 'green.9', deny: 'red.9', unavailable: 'gray.8' } as const;

export const OutcomeBadge = ({
  decision: { outcome, reason, observed },
}: {
  readonly decision: Pick<DecisionRecord, 'outcome' | 'reason' | 'observed'>;
}) => (
  <>
    <Badge color={colors[outcome]}>{outcome}</Badge> {reason ?? (observed === undefined ? '' : `observed: ${observed}`)}
  </>
);
