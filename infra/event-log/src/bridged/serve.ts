/** The end of a bridged log where the log is: other threads of this process ask, and this one answers. */
import type { MessagePort } from 'node:worker_threads';
import { isProblem, Problem, type ProblemInTransit, problemInTransit } from '@postern/schemas';
import type { Carrier } from '@postern/telemetry';
import type { Cursors, EventLog } from '../port.ts';
import type { AnswerMessage, CallMessage, StreamName } from './messages.ts';

export type Served = {
  /** The trace context of whoever is being served in this turn: what the log asks for when it writes. */
  readonly carrier: () => Carrier;
  /** Answers `log`'s other end over this port until the port closes. */
  readonly serve: (log: EventLog, port: MessagePort) => void;
};

type Open = { readonly batches: AsyncIterator<unknown>; readonly stop: AbortController };

export const servedLogs = (): Served => {
  let current: Carrier = {};
  return {
    carrier: () => current,
    serve: (log, port) => {
      const streams = new Map<number, Open>();
      const follow = (of: StreamName, from: unknown, beatMs: number | undefined): Open => {
        const stop = new AbortController();
        const options = { signal: stop.signal, ...(beatMs !== undefined && { beatMs }) };
        const batches =
          of === 'facts' ? log.facts.follow(from as never, options) : log[of].follow(from as Cursors | 'end', options);
        return { batches: batches[Symbol.asyncIterator](), stop };
      };
      const answerTo = (call: CallMessage): unknown => {
        switch (call.call) {
          case 'head':
            return log.facts.head();
          case 'ping':
            return log.ping();
          case 'append':
            return log.facts.append(...(call.args as Parameters<EventLog['facts']['append']>));
          case 'publish':
            return log[call.to].publish(...(call.args as Parameters<EventLog['decisions']['publish']>));
          case 'end':
            return log[call.of].end();
          case 'follow':
            streams.set(call.on, follow(call.of, call.from, call.beatMs));
            return undefined;
          case 'next':
            return streams.get(call.on)?.batches.next() ?? { done: true };
          case 'close':
            streams.get(call.on)?.stop.abort();
            streams.delete(call.on);
            return undefined;
        }
      };
      const send = (answer: AnswerMessage): void => port.postMessage(answer);
      const answer = async (call: CallMessage): Promise<void> => {
        try {
          current = call.carrier;
          // The log looks at the carrier in the turn of the call, before anything is awaited.
          const given = answerTo(call);
          current = {};
          send({ id: call.id, value: await given });
        } catch (error) {
          send({ id: call.id, problem: inTransit(error) });
        }
      };
      port.on('message', (call: CallMessage) => void answer(call));
      port.once('close', () => {
        for (const { stop } of streams.values()) stop.abort();
        streams.clear();
      });
    },
  };
};

const inTransit = (error: unknown): ProblemInTransit =>
  problemInTransit(
    isProblem(error)
      ? error
      : new Problem('event-log/unreachable', { detail: error instanceof Error ? error.message : String(error) }),
  );
