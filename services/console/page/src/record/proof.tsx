/** The key that the person pins, and whether the bytes on the page are in the signed log. */
import { Alert, Button, Group, Paper, Textarea, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { type Log, pinKey, pinnedKey, verifyEntry } from './verify.ts';

export const Proof = ({
  log,
  index,
  bytes,
}: {
  readonly log: Log;
  readonly index: number;
  readonly bytes: ArrayBuffer;
}) => {
  const [key, setKey] = useState(() => pinnedKey(log));
  const verifying = useMutation({ mutationFn: () => verifyEntry(log, index, bytes) });
  const { data } = verifying;
  return (
    <Paper withBorder p="md" mt="md">
      <Title order={2} size="h4">
        Is it in the signed log?
      </Title>
      <Textarea
        label={`The verifier key of the log of ${log}, as somebody you trust gave it to you`}
        description="Kept in this browser. The proof is checked here, against this key; a key that the server itself shows would prove nothing."
        value={key}
        onChange={(event) => setKey(event.target.value)}
        autosize
        minRows={1}
      />
      <Group mt="sm">
        <Button
          onClick={() => {
            pinKey(log, key);
            verifying.mutate();
          }}
          loading={verifying.isPending}
        >
          Pin and verify
        </Button>
      </Group>
      {verifying.error && (
        <Alert color="red" mt="sm" role="alert" title="It could not be checked">
          {verifying.error.message}
        </Alert>
      )}
      {data && (
        <Alert
          color={data.outcome === 'proven' ? 'green' : 'red'}
          mt="sm"
          role="status"
          title={data.outcome === 'proven' ? 'Proven' : 'Not proven'}
        >
          {data.said} {data.growth}
        </Alert>
      )}
    </Paper>
  );
};
