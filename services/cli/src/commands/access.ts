/** grant, revoke, role, key, send: what changes access. */
import { mistakeText, readYamlFile } from '@postern/runtime';
import { RolesYaml } from '@postern/schemas';
import type { Command } from 'commander';
import { CommandFailure, callJson, failureOf, request } from '../client.ts';
import { parseJson, readTextFile, several } from '../input.ts';
import { print, printJson, printTable, readableTime, tell } from '../output.ts';
import { connect, type Shared, withConnection, withWait } from './connect.ts';

type Changed = {
  readonly id?: string;
  readonly sequence: number;
  readonly enforced: boolean;
  readonly proxies?: number;
};
type GrantOptions = Shared & {
  reason: string;
  ticket?: string;
  from?: string;
  until?: string;
  cidr?: string[];
  country?: string[];
};

const said = (what: string, { sequence, enforced, proxies }: Changed): string =>
  `${what} at sequence ${sequence}${enforced ? `, enforced by ${proxies === 1 ? 'the proxy' : `all ${proxies} proxies`}` : ''}`;

export const accessCommands = (program: Command): void => {
  withWait(withConnection(program.command('grant <subject> <role>')))
    .description('give a role to a subject: postern grant user:alice payroll-reader --reason "covers for bob"')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .option('--ticket <id>', 'the ticket behind it')
    .option('--from <instant>', 'not before (RFC 3339)')
    .option('--until <instant>', 'not after (RFC 3339)')
    .option('--cidr <block>', 'only from these addresses; may be repeated', several)
    .option('--country <code>', 'only from these countries; may be repeated', several)
    .action(async (subject: string, role: string, options: GrantOptions) => {
      const { reason, ticket, from, until, cidr, country } = options;
      const conditions = { from, until, cidrs: cidr, countries: country };
      const body = {
        subject,
        role,
        reason,
        ticket,
        ...(Object.values(conditions).some((each) => each !== undefined) && { conditions }),
      };
      const issued = await callJson<Changed>(connect(options), '/grants', {
        method: 'POST',
        body,
        query: { wait: options.wait },
      });
      if (options.json) printJson(issued);
      else print(said(`granted ${role} to ${subject}: ${issued.id}`, issued));
    });

  withWait(withConnection(program.command('revoke <grant>')))
    .description('take a grant back, by its id (postern grants lists them)')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .option('--ticket <id>', 'the ticket behind it')
    .action(async (grant: string, options: Shared & { reason: string; ticket?: string }) => {
      const body = { reason: options.reason, ticket: options.ticket };
      const revoked = await callJson<Changed>(connect(options), `/grants/${grant}`, {
        method: 'DELETE',
        body,
        query: { wait: options.wait },
      });
      if (options.json) printJson(revoked);
      else print(said(`revoked ${grant}`, revoked));
    });

  withConnection(program.command('grants'))
    .description('live grants')
    .option('--subject <subject>', 'only those of user:NAME, workload:NAME, credential:ID or group:NAME#member')
    .option('--role <role>', 'only those of one role')
    .action(async (options: Shared & { subject?: string; role?: string }) => {
      type Grant = {
        id: string;
        subject: string;
        role: string;
        origin: string;
        by: string;
        reason: string;
        conditions?: object;
      };
      const { items } = await callJson<{ items: Grant[] }>(connect(options), '/grants', {
        query: { subject: options.subject, role: options.role },
      });
      if (options.json) printJson(items);
      else
        printTable(
          ['SUBJECT', 'ROLE', 'ORIGIN', 'BY', 'REASON', 'CONDITIONS', 'ID'],
          items.map(({ id, subject, role, origin, by, reason, conditions }) => [
            subject,
            role,
            origin,
            by,
            reason,
            conditions && JSON.stringify(conditions),
            id,
          ]),
        );
    });

  const role = program.command('role').description('define, show, retire roles');
  withConnection(role.command('list'))
    .description('all roles')
    .action(async (options: Shared) => {
      type Role = { role: string; description?: string; allows: object[]; birthright?: Record<string, string> };
      const { items } = await callJson<{ items: Role[] }>(connect(options), '/roles');
      if (options.json) printJson(items);
      else
        printTable(
          ['ROLE', 'ALLOWS', 'BIRTHRIGHT', 'DESCRIPTION'],
          items.map(({ role: name, description, allows, birthright }) => [
            name,
            allows.map((each) => Object.values(each).join(':')).join(' '),
            birthright &&
              Object.entries(birthright)
                .map(([key, value]) => `${key}=${value}`)
                .join(' '),
            description,
          ]),
        );
    });
  withWait(withConnection(role.command('put <role> <file>')))
    .description('define or change one role, as written in a roles.yaml')
    .action(async (name: string, file: string, options: Shared) => {
      const read = readYamlFile(file, RolesYaml);
      if (read.outcome === 'unreadable') throw new CommandFailure(`${file}: ${read.why}`);
      if (read.outcome === 'mistaken') throw new CommandFailure(read.mistakes.map(mistakeText).join('\n'));
      const rules = Object.entries(read.value).find(([each]) => each === name)?.[1];
      if (rules === undefined) throw new CommandFailure(`${file} defines no role ${name}`, 1);
      const changed = await callJson<Changed>(connect(options), `/roles/${name}`, {
        method: 'PUT',
        body: rules,
        query: { wait: options.wait },
      });
      if (options.json) printJson(changed);
      else print(said(`the role ${name} stands`, changed));
    });
  withWait(withConnection(role.command('retire <role>')))
    .description('retire a role; whoever holds it loses it')
    .action(async (name: string, options: Shared) => {
      const changed = await callJson<Changed>(connect(options), `/roles/${name}`, {
        method: 'DELETE',
        query: { wait: options.wait },
      });
      if (options.json) printJson(changed);
      else print(said(`the role ${name} is retired`, changed));
    });

  const key = program.command('key').description('issue, list, rotate, revoke API keys');
  withConnection(key.command('issue <owner>'))
    .description('issue a key; it may do what both its owner and its own roles allow')
    .requiredOption('--role <role>', 'a role that the key may use; may be repeated', several)
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .option('--until <instant>', 'not after (RFC 3339)')
    .action(async (owner: string, options: Shared & { role: string[]; reason: string; until?: string }) => {
      const body = { owner, roles: options.role, reason: options.reason, until: options.until };
      const issued = await callJson<Changed & { key: string }>(connect(options), '/keys', { method: 'POST', body });
      if (options.json) printJson(issued);
      else {
        print(issued.key);
        tell(`this is the only time the key is shown; its id is ${issued.id}`);
      }
    });
  withConnection(key.command('list'))
    .description('live keys')
    .option('--owner <principal>', 'only those of user:NAME or workload:NAME')
    .option('--no-use', 'do not ask the record when each was last used')
    .action(async (options: Shared & { owner?: string; use?: boolean }) => {
      type Key = {
        id: string;
        owner: string;
        roles: string[];
        issued: string;
        until?: string;
        successor?: string;
        lastUsed?: string;
      };
      const { items } = await callJson<{ items: Key[] }>(connect(options), '/keys', {
        query: { owner: options.owner, use: options.use === false ? undefined : 'last' },
      });
      if (options.json) printJson(items);
      else
        printTable(
          ['ID', 'OWNER', 'ROLES', 'ISSUED', 'UNTIL', 'LAST USED', 'FOLLOWED BY'],
          items.map(({ id, owner, roles, issued, until, lastUsed, successor }) => [
            id,
            owner,
            roles.join(' '),
            readableTime(issued),
            readableTime(until),
            readableTime(lastUsed),
            successor,
          ]),
        );
    });
  withConnection(key.command('rotate <credential>'))
    .description('issue the key that follows this one; both work until the overlap ends')
    .option('--overlap <duration>', 'how long both work', '24h')
    .option('--until <instant>', 'when the new key ends (default: after as long as this one was given for)')
    .requiredOption('--reason <text>', 'why; it stands in the record')
    .action(async (credential: string, options: Shared & { overlap: string; until?: string; reason: string }) => {
      const { overlap, until, reason } = options;
      type Rotated = { id: string; key: string; bothUntil?: string };
      const rotated = await callJson<Rotated>(connect(options), `/keys/${credential}/rotate`, {
        method: 'POST',
        body: { overlap, until, reason },
      });
      if (options.json) return printJson(rotated);
      print(rotated.key);
      tell(
        `this is the only time the key is shown; its id is ${rotated.id}; both work until ${readableTime(rotated.bothUntil)}`,
      );
    });
  withWait(withConnection(key.command('revoke <credential>')))
    .description('revoke a key')
    .action(async (credential: string, options: Shared) => {
      const changed = await callJson<Changed>(connect(options), `/keys/${credential}`, {
        method: 'DELETE',
        query: { wait: options.wait },
      });
      if (options.json) printJson(changed);
      else print(said(`revoked ${credential}`, changed));
    });

  withWait(withConnection(program.command('send <file>')))
    .description(
      'send CloudEvents as an HR system would: a file with one event or an array of them, "-" for standard input',
    )
    .action(async (file: string, options: Shared) => {
      const text = readTextFile(file);
      const type = text.trimStart().startsWith('[')
        ? 'application/cloudevents-batch+json'
        : 'application/cloudevents+json';
      const response = await request(connect(options), '/events', {
        method: 'POST',
        body: parseJson(text, file),
        headers: { 'content-type': type },
        query: { wait: options.wait },
      });
      if (!response.ok) throw await failureOf(response);
      printJson(await response.json());
    });
};
