/** init: a configuration to begin with, every line explained. */
import { existsSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandFailure } from '../client.ts';
import { print } from '../output.ts';

const files: Readonly<Record<string, string>> = {
  'postern.yaml': `# Postern: what this installation is. Unknown keys are errors; \`postern check\` tells every mistake with its line.
listen: 127.0.0.1:8080            # the gate
health: 127.0.0.1:8081            # /livez, /readyz, /metrics: never on the gate's own listener
data: ./.postern                  # the embedded world keeps its log and its record here

# The distributed world: name these, and start each room with \`postern serve ROOM\`.
# eventLog: kafka://b1:9092,b2:9092/postern
# relationships: spicedb://host:50051?tokenFile=./spicedb.token
# auditStore: postgres://postern:\${DB_PASSWORD}@host/postern

issuers:                          # whose access tokens are believed
  - issuer: https://idp.example.com
    audience: [my-api]
    subject: { type: user, claim: sub }

services:                         # what stands behind the gate; nothing is allowed that no role allows
  example:
    upstream: http://127.0.0.1:9001
    mount: /example
    openapi: ./example.openapi.yaml

model: { roles: ./roles.yaml, assertions: ./assertions.yaml }
`,
  'roles.yaml': `# Roles bundle access. A birthright gives one to whoever has the attributes, and takes it away when they change.
example-reader:
  description: Reads the example API
  allows: [{ service: example, access: read }]
  birthright: { department: engineering }
example-writer:
  description: Reads and writes the example API, for a working day at most
  allows: [{ service: example, access: write }]
  maxDuration: 8h
example-admin:
  description: Removes things
  allows: [{ endpoint: example/removeThing }]
  maxDuration: 1h
`,
  'example.openapi.yaml': `# Every operation becomes an endpoint: reads and writes are told apart by method.
openapi: 3.1.0
info: { title: Example, version: "1" }
paths:
  /things:
    get: { operationId: listThings }
    post: { operationId: addThing }
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: getThing }
    delete: { operationId: removeThing, x-postern: { access: admin } }
`,
  'assertions.yaml': `# What has to follow from these files: \`postern check\` asks it of the real engine.
at: 2026-11-24T09:00:00Z
given:
  - user:ada joined department=engineering
  - user:bob holds example-writer until 2026-11-24T16:00:00Z
assert:
  - user:ada can GET /example/things
  - user:ada can GET /example/things/1
  - user:ada cannot POST /example/things
  - user:bob can POST /example/things
  - nobody but role:example-admin can DELETE /example/things/1
`,
};

export const initCommand = (program: Command): void => {
  program
    .command('init')
    .description('write a commented postern.yaml, roles.yaml, an example API and assertions here')
    .action(() => {
      const there = Object.keys(files).filter((file) => existsSync(file));
      if (there.length > 0)
        throw new CommandFailure(
          `not overwritten: ${there.join(', ')}; move ${there.length === 1 ? 'it' : 'them'} away first`,
          1,
        );
      for (const [file, text] of Object.entries(files)) {
        writeFileSync(file, text, { flag: 'wx' });
        print(`wrote ${file}`);
      }
      print('now: postern check, then postern up');
    });
};
