/** A small witness: whoever runs one signs that the logs of others only grow, and can show it if one of them does not. */
import type { Clock, Logger, Room } from '@postern/runtime';
import { httpApp } from '@postern/runtime';
import { type NoteKey, parseVkey, witnessKey, witnessVkeyText } from '@postern/schemas/tlog';
import { logKeys, parseSigningKeys } from '../signing-key.ts';
import { checkpointAdder, type WitnessAnswer } from './add-checkpoint.ts';
import { witnessState } from './state.ts';

export type WitnessOptions = {
  /** What the witness is called in its signatures: a schemeless URL of yours. */
  readonly name: string;
  /** The text of a key file, as the audit service has one. */
  readonly key: string;
  /** The verifier keys of the logs that are watched, one a line. */
  readonly logs: string;
  /** The folder of what was seen; of this process alone. */
  readonly state: string;
  readonly clock: Clock;
  readonly log: Logger;
};
export type Witness = Room & { readonly vkey: string };

const bodyBytesMax = 65_536;

/** Rejects with `runtime/bad-config` for an unusable key, and with RangeError for a name or a verifier key that is none. */
export const witnessService = async ({ name, key, logs, state, clock, log }: WitnessOptions): Promise<Witness> => {
  const { signers } = await logKeys(name, parseSigningKeys(key));
  const [first] = signers;
  if (first === undefined) throw new RangeError('a witness has a private key');
  const named = await witnessKey(name, first.publicKey);
  const watched = new Map<string, NoteKey[]>();
  for (const line of logs.split('\n').filter((each) => each.trim() !== '')) {
    const parsed = await parseVkey(line);
    if (parsed === undefined) throw new RangeError(`${line} is no verifier key of a log`);
    watched.set(parsed.name, [...(watched.get(parsed.name) ?? []), parsed]);
  }
  const add = checkpointAdder({ signer: { ...first, ...named }, logs: watched, state: witnessState(state), clock });

  const app = httpApp({ log, bodyBytesMax });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body));
  app.post('/add-checkpoint', async ({ body }, reply) => {
    const answer = await add(typeof body === 'string' ? body : '');
    if (answer.status !== 200) log.warn({ answer }, 'a checkpoint was not signed');
    return reply.code(answer.status).type(typeOf(answer)).send(textOf(answer));
  });
  return {
    name: 'witness',
    http: app,
    vkey: witnessVkeyText(named),
    notReady: () => [],
    start: async () => {},
    stop: async () => {
      await app.close().catch(() => {});
    },
  };
};

const typeOf = ({ status }: WitnessAnswer): string =>
  status === 409 ? 'text/x.tlog.size' : 'text/plain; charset=utf-8';
const textOf = (answer: WitnessAnswer): string => {
  if (answer.status === 200) return answer.lines;
  return answer.status === 409 ? `${answer.size}\n` : `${answer.why}\n`;
};
