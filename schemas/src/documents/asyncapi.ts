/** What is on Kafka, as an AsyncAPI 3 document: topics, who writes them, what a message is. */
import { z } from 'zod';
import { DecisionBatch, Heartbeat } from '../decisions/decision.ts';
import { Fact } from '../facts/fact.ts';

const jsonSchema = (schema: z.ZodType): Record<string, unknown> =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;

type Topic = {
  readonly name: string;
  readonly address: string;
  readonly description: string;
  readonly contentType: string;
  readonly payload: unknown;
};

const topics: readonly Topic[] = [
  {
    name: 'facts',
    address: '{prefix}.facts',
    description:
      'One partition, never compacted, kept for ever. A record is a fact only if its sequence is the next one (docs/adr/0002-compare-and-append.md); readers pass over everything else.',
    contentType: 'application/cloudevents+json; charset=UTF-8',
    payload: { $ref: '#/components/schemas/Fact' },
  },
  {
    name: 'decisions',
    address: '{prefix}.decisions',
    description: 'What the gate did with every request, many decisions to a record; (instance, batch) is dense.',
    contentType: 'application/json',
    payload: { $ref: '#/components/schemas/DecisionBatch' },
  },
  {
    name: 'enforcement',
    address: '{prefix}.enforcement',
    description: 'Heartbeats of the proxies: what each enforces, and the key it signs assertions with.',
    contentType: 'application/json',
    payload: { $ref: '#/components/schemas/Heartbeat' },
  },
  {
    name: 'quarantine',
    address: '{prefix}.quarantine',
    description:
      'What could not be applied, byte for byte. Headers: `from` and `position` say where it came from, `why` is the reason, `headers` and `rule` how to read it again.',
    contentType: 'application/octet-stream',
    payload: {},
  },
];

export const asyncApiDocument = (): Record<string, unknown> => ({
  asyncapi: '3.0.0',
  info: { title: 'Postern on Kafka', version: '1', license: { name: 'Apache-2.0' } },
  defaultContentType: 'application/json',
  channels: Object.fromEntries(
    topics.map(({ name, address, description }) => [
      name,
      {
        address,
        description,
        parameters: { prefix: { description: 'the last part of the eventLog URL', default: 'postern' } },
        messages: { [name]: { $ref: `#/components/messages/${name}` } },
      },
    ]),
  ),
  operations: Object.fromEntries(
    topics.map(({ name }) => [name, { action: 'send', channel: { $ref: `#/channels/${name}` } }]),
  ),
  components: {
    messages: Object.fromEntries(
      topics.map(({ name, contentType, payload }) => [name, { name, contentType, payload }]),
    ),
    schemas: { Fact: jsonSchema(Fact), DecisionBatch: jsonSchema(DecisionBatch), Heartbeat: jsonSchema(Heartbeat) },
  },
});
