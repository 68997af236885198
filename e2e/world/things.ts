/** A small API of the tests' own, and who may read it: `user:rita` is a reader, and nobody may write. */
import type { OwnModel, OwnWorld } from './own-api.ts';

export const things = (config: object = {}): OwnModel => ({
  files: {
    'things.yaml': `openapi: 3.1.0
paths:
  /list:
    get: { operationId: listThings }
    post: { operationId: addThing }
`,
    'roles.yaml':
      'thing-reader: { allows: [{ service: things, access: read }], birthright: { department: reading } }\n',
  },
  services: { things: { mount: '/things', openapi: './things.yaml' } },
  config,
});

/** A change through the gate, with the administrator's key. */
export const change = async (
  world: OwnWorld,
  path: string,
  body: unknown,
  { method = 'POST', contentType = 'application/json' }: { method?: string; contentType?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${world.gate}/.postern${path}`, {
    method,
    headers: { 'x-api-key': await world.key(), 'content-type': contentType },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

export const event = (id: string, type: string, subject: string, data: object = {}) => ({
  specversion: '1.0',
  id,
  source: '/hr',
  type: `postern.${type}.v1`,
  subject,
  data,
});

export const send = (world: OwnWorld, one: object, query = '') =>
  change(world, `/events${query}`, one, { contentType: 'application/cloudevents+json' });
