/** Sign in: with an issuer's word, or with an API key. */
import { Alert, Button, Divider, PasswordInput, Stack } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'react-router';
import { beginSignIn, issuers, signInByKey } from './session.ts';

/** The ways in, without anything around them: they stand on a page of their own, or over the page whose session has ended. */
export const WaysIn = ({ onDone }: { readonly onDone: () => void }) => {
  const { pathname, search } = useLocation();
  const known = useQuery({ queryKey: ['issuers'], queryFn: issuers, staleTime: Number.POSITIVE_INFINITY });
  const [key, setKey] = useState('');
  const byKey = useMutation({ mutationFn: () => signInByKey(key.trim()), onSuccess: onDone });
  const byIssuer = useMutation({
    mutationFn: (issuer: string) => beginSignIn(issuer, pathname === '/signed-in' ? '/' : `${pathname}${search}`),
  });
  const failed = byKey.error ?? byIssuer.error;
  const choices = known.data ?? [];
  return (
    <>
      {choices.length > 0 && (
        <Stack gap="xs">
          {choices.map(({ issuer, label }) => (
            <Button
              key={issuer}
              loading={byIssuer.isPending && byIssuer.variables === issuer}
              onClick={() => byIssuer.mutate(issuer)}
            >
              Sign in with {label}
            </Button>
          ))}
          <Divider label="or" my="xs" />
        </Stack>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          byKey.mutate();
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
        <Button
          type="submit"
          mt="md"
          fullWidth
          loading={byKey.isPending}
          variant={choices.length > 0 ? 'default' : 'filled'}
        >
          {choices.length > 0 ? 'Sign in with the key' : 'Sign in'}
        </Button>
      </form>
      {failed && (
        <Alert color="red" mt="md" role="alert" title="You are not signed in">
          {failed.message}
        </Alert>
      )}
    </>
  );
};
