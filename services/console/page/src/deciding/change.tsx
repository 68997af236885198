/** One change: sent once however often it is pressed, and what has come of it said where everybody finds it. */
import { Alert } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useRef, useState } from 'react';
import { send } from '../api.ts';
import { decidingKey } from './asked.ts';

type Told = { readonly text: ReactNode; readonly count: number };
export const Tell = createContext<(text: ReactNode) => void>(() => {});

/** What was done last is read out, and stays in sight until something else is done. */
export const Telling = ({ children }: { readonly children: ReactNode }) => {
  const [told, setTold] = useState<Told>();
  return (
    <Tell value={(text) => setTold((before) => ({ text, count: (before?.count ?? 0) + 1 }))}>
      <div role="status" className="told-last">
        {told && (
          <Alert
            key={told.count}
            color="green"
            variant="light"
            withCloseButton
            closeButtonLabel="Put away"
            onClose={() => setTold(undefined)}
          >
            {told.text}
          </Alert>
        )}
      </div>
      {children}
    </Tell>
  );
};

export type ChangeAnswer = {
  readonly id?: string;
  readonly state?: string;
  readonly until?: string;
  readonly answerBy?: string;
  readonly enforced: boolean;
  readonly proxies?: number;
};

/** `path` and `body` of what is asked for; `told` says what has happened and what happens next. */
export const useChange = <Asked,>(
  to: (asked: Asked) => { readonly path: string; readonly body: unknown },
  told: (answer: ChangeAnswer, asked: Asked) => ReactNode,
) => {
  const client = useQueryClient();
  const tell = useContext(Tell);
  /** One text for one wish: after a lost answer the same wish is not carried out twice. */
  const once = useRef<{ readonly wish: string; readonly text: string }>(undefined);
  return useMutation({
    mutationFn: (asked: Asked) => {
      const { path, body } = to(asked);
      const wish = JSON.stringify([path, body]);
      if (once.current?.wish !== wish) once.current = { wish, text: crypto.randomUUID() };
      return send<ChangeAnswer>(`${path}?wait=enforced`, body, once.current.text);
    },
    onSuccess: (answer, asked) => {
      once.current = undefined;
      tell(told(answer, asked));
      return client.invalidateQueries({ queryKey: decidingKey });
    },
  });
};

/** "at every gate", as far as that is known. */
export const everywhere = ({ enforced, proxies }: ChangeAnswer): string =>
  enforced
    ? proxies === undefined || proxies < 2
      ? 'at the gate'
      : `at all ${proxies} gates`
    : 'as soon as every gate has heard of it';

export const Failed = ({ title, error }: { readonly title: string; readonly error: Error | null }) =>
  error && (
    <Alert color="red" mt="sm" role="alert" title={title}>
      {error.message} What you typed is still there.
    </Alert>
  );
