/**
 * What a preview costs: decisions over distinct pairs of caller and endpoint, generated, streamed, and asked of two models.
 *
 *   node e2e/load/preview.ts [decisions=1000000] [pairs=10000]
 *
 * It prints the time and asserts nothing: a machine with other work on it says little.
 */
import { setImmediate } from 'node:timers/promises';
import { judgeOver } from '@postern/authorizer/app';
import { decideCommand } from '@postern/grants/app';
import { foldModel, fromJsonLine, type Model, preview, readUses } from '@postern/modelling/app';
import { openRelationships } from '@postern/relationships/open';
import { Endpoint, gateSchema, PrincipalId, RoleName, RoleRules, SubjectId } from '@postern/schemas';

const [decisions = 1_000_000, pairs = 10_000] = process.argv.slice(2).map(Number);
const people = 500;
const endpoints = Math.ceil(pairs / people);

const model = (allowed: number): Model => ({
  schema: gateSchema,
  services: [
    {
      name: 'api',
      mount: '/api',
      endpoints: Array.from({ length: endpoints }, (_, at) =>
        Endpoint.parse({ id: `api/op${at}`, method: 'GET', template: `/things${at}/{id}`, access: 'read' }),
      ),
    },
  ],
  roles: new Map([
    [
      RoleName.parse('user'.padEnd(5, 's')),
      RoleRules.parse({ allows: Array.from({ length: allowed }, (_, at) => ({ endpoint: `api/op${at}` })) }),
    ],
  ]),
});

const filled = async (allowed: number) => {
  const deps = { openEngine: () => openRelationships('embedded:'), judgeOver, decideCommand };
  const folded = await foldModel(deps, model(allowed));
  for (let at = 0; at < people; at++) {
    folded.tell({ kind: 'join', principal: PrincipalId.parse(`user:u${at}`), attributes: {} });
    const subject = SubjectId.parse(`user:u${at}`);
    folded.tell({ kind: 'issue-grant', subject, role: RoleName.parse('users'), reason: 'bench' });
  }
  return folded;
};

async function* lines(): AsyncGenerator<string> {
  for (let at = 0; at < decisions; at++) {
    const pair = at % pairs;
    const record = {
      id: `bench-${at}`,
      at: new Date(1_790_000_000_000 + at * 250).toISOString(),
      outcome: 'allow',
      principal: `user:u${pair % people}`,
      service: 'api',
      method: 'GET',
      path: `/api/things${Math.floor(pair / people)}/${at}`,
      ip: '192.0.2.1',
    };
    yield JSON.stringify(record);
    if (at % 10_000 === 0) await setImmediate();
  }
}

const began = performance.now();
await using live = await filled(endpoints);
await using here = await filled(endpoints - 1);
const folded = performance.now();
const result = await preview({
  live,
  here,
  uses: readUses(lines(), fromJsonLine),
  places: { role: () => undefined, endpoint: () => undefined },
  wanted: () => false,
});
const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
process.stdout.write(
  `${result.read.toLocaleString('en')} decisions, ${result.distinct.toLocaleString('en')} distinct pairs, ${result.asked.toLocaleString('en')} questions of each model, ${result.flips.length} flips\n` +
    `folding both models ${seconds(folded - began)} s, preview ${seconds(performance.now() - folded)} s\n`,
);
