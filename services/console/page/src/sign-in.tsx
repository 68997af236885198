import { Alert, Button, Paper, PasswordInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { signIn } from './session.ts';

export const SignIn = ({ onDone }: { readonly onDone: () => void }) => {
  const [key, setKey] = useState('');
  const signing = useMutation({ mutationFn: () => signIn(key.trim()), onSuccess: onDone });
  return (
    <main>
      <Paper withBorder p="lg" className="sign-in">
        <Title order={1} size="h2" mb="md">
          Postern
        </Title>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            signing.mutate();
          }}
        >
          <PasswordInput
            label="API key"
            description="What it may not do, this page cannot do either."
            placeholder="psk_…"
            value={key}
            onChange={(event) => setKey(event.target.value)}
            autoComplete="off"
            visibilityToggleButtonProps={{ 'aria-label': 'Show the key' }}
            required
          />
          <Button type="submit" mt="md" fullWidth loading={signing.isPending}>
            Sign in
          </Button>
        </form>
        {signing.error && (
          <Alert color="red" mt="md" role="alert" title="You are not signed in">
            {signing.error.message}
          </Alert>
        )}
      </Paper>
    </main>
  );
};
