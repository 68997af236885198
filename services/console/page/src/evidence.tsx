/** What a view shows, as a file that verifies itself: an evidence bundle of the record's own export. */
import { Alert, Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { ask, queryText } from './api.ts';
import { useMay } from './may.ts';

/** `query`: as of `GET audit/export`: `kind` with the search's own members, or `question` with its arguments. */
export const Evidence = ({
  query,
  label = 'Evidence bundle',
}: {
  readonly query: Readonly<Record<string, string>>;
  readonly label?: string;
}) => {
  const may = useMay();
  const saving = useMutation({
    mutationFn: async () => {
      const blob = await (await ask(`/audit/export${queryText(query)}`)).blob();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = `evidence-${query['kind'] ?? `question-${query['question']}`}.zip`;
      link.click();
      // The browser has taken it by then.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
  });
  if (!may('exportEvidence')) return null;
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        loading={saving.isPending}
        onClick={() => saving.mutate()}
        title="Rows, entries, proofs, signed heads, and a page that verifies them offline"
      >
        {label}
      </Button>
      {saving.error && (
        <Alert color="red" role="alert" title="The bundle could not be made">
          {saving.error.message}
        </Alert>
      )}
    </>
  );
};
