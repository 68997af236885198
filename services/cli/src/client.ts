/** The gate's own API from a terminal: every command goes through the gate, with a key, like everybody else's call. */

import { join } from 'node:path';
import { CommandFailure, exitCodes } from './failure.ts';
import { readTextFile } from './input.ts';

export type Connection = { readonly gate: string; readonly key: string };

export { CommandFailure } from './failure.ts';

export type ConnectionOptions = {
  readonly gate?: string | undefined;
  readonly key?: string | undefined;
  readonly data?: string | undefined;
};

/** Flags, then POSTERN_URL and POSTERN_KEY, then the admin key of the data folder here. */
export const connection = (
  { gate, key, data = './.postern' }: ConnectionOptions,
  environment: NodeJS.ProcessEnv,
): Connection => {
  const keyFile = join(data, 'admin.key');
  const found = key ?? environment['POSTERN_KEY'] ?? readTextFile(keyFile, { missing: undefined })?.trim();
  if (!found)
    throw new CommandFailure(
      `no key: give --key, set POSTERN_KEY, or run this where ${keyFile} is`,
      exitCodes.couldNotAsk,
    );
  return { gate: (gate ?? environment['POSTERN_URL'] ?? 'http://127.0.0.1:8080').replace(/\/$/, ''), key: found };
};

export type Call = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
};

/** A person's own token serves as well as a key: who decides about access does it in their own name. */
const credential = (key: string): Record<string, string> =>
  key.startsWith('psk_') ? { 'x-api-key': key } : { authorization: `Bearer ${key}` };

/** Answers the response whatever its status; rejects with a CommandFailure (exit code 4) where the gate cannot be reached. */
export const request = async (
  { gate, key }: Connection,
  path: string,
  { method = 'GET', body, headers, query = {} }: Call = {},
): Promise<Response> => {
  const url = new URL(`${gate}/.postern${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  try {
    return await fetch(url, {
      method,
      headers: { ...credential(key), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
    throw new CommandFailure(
      `the gate at ${gate} cannot be reached (${cause}): start it with postern up, or name it with --gate`,
      exitCodes.couldNotAsk,
    );
  }
};

/** The body of a successful answer; rejects with the problem document as text otherwise (refused, or could not ask for 5xx). */
export const callJson = async <Body>(to: Connection, path: string, call: Call = {}): Promise<Body> => {
  const response = await request(to, path, call);
  if (!response.ok) throw await failureOf(response);
  return (await response.json()) as Body;
};

export const failureOf = async (response: Response): Promise<CommandFailure> => {
  const text = await response.text();
  try {
    const { title, detail, fix, type } = JSON.parse(text) as {
      title?: string;
      detail?: string;
      fix?: string;
      type?: string;
    };
    const code = type?.replace('urn:postern:problem:', '');
    const lines = [
      `${title ?? response.statusText}${detail === undefined ? '' : `: ${detail}`}`,
      fix,
      code && `(${code}; docs/failure-modes.md says more)`,
    ];
    return new CommandFailure(
      lines.filter(Boolean).join('\n  '),
      response.status >= 500 ? exitCodes.couldNotAsk : exitCodes.refused,
    );
  } catch {
    return new CommandFailure(
      `HTTP ${response.status}: ${text.slice(0, 500)}`,
      response.status >= 500 ? exitCodes.couldNotAsk : exitCodes.refused,
    );
  }
};
