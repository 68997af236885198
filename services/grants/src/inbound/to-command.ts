/** CloudEvents of HR and identity systems, as commands. The events are named after persons and groups; the facts after principals. */
import {
  Attributes,
  GroupId,
  Member,
  ObjectId,
  ObjectSubject,
  PrincipalId,
  Problem,
  SchemaName,
} from '@postern/schemas';
import { z } from 'zod';
import type { Command } from '../decide/command.ts';
import type { InboundEvent } from './cloud-event.ts';

export type Read = {
  readonly command: Command;
  /** Members of `data` that were left out: personal data never enters the record. */
  readonly ignored: readonly string[];
};

const reason = z.string().min(1).max(2000).optional();
const Person = Attributes.extend({ reason });
const Group = z.strictObject({ add: z.array(Member).default([]), remove: z.array(Member).default([]), reason });
const Session = z.looseObject({ before: z.iso.datetime({ offset: true }).optional(), reason });
const Relation = z.strictObject({
  object: ObjectId,
  relation: SchemaName,
  subject: ObjectSubject,
  reason,
});
const asObject = (data: unknown): object =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {};
const Anything = z.looseObject({ reason });

/** Throws `grants/unknown-event-type` or `grants/bad-event`, naming the member that is wrong. */
export const toCommand = (event: InboundEvent, now: string): Read => {
  switch (event.type) {
    case 'postern.person.joined.v1':
    case 'postern.person.moved.v1': {
      const { known, ignored } = sortOut(event.data);
      const { reason, ...attributes } = parse(Person, known, event, 'data');
      return {
        command: {
          kind: event.type.includes('joined') ? 'join' : 'move',
          principal: subject(PrincipalId, event),
          attributes,
          reason,
        },
        ignored,
      };
    }
    case 'postern.person.left.v1':
      return {
        command: {
          kind: 'leave',
          principal: subject(PrincipalId, event),
          reason: parse(Anything, event.data ?? {}, event, 'data').reason,
        },
        ignored: [],
      };
    case 'postern.session.revoked.v1': {
      const { before, reason } = parse(Session, event.data ?? {}, event, 'data');
      return {
        command: {
          kind: 'revoke-sessions',
          principal: subject(PrincipalId, event),
          before: before ?? event.time ?? now,
          reason,
        },
        ignored: [],
      };
    }
    case 'postern.group.changed.v1': {
      const { add, remove, reason } = parse(Group, event.data ?? {}, event, 'data');
      return { command: { kind: 'change-group', group: subject(GroupId, event), add, remove, reason }, ignored: [] };
    }
    case 'postern.object.related.v1':
    case 'postern.object.unrelated.v1': {
      const data = parse(Relation, { object: event.subject, ...asObject(event.data) }, event, 'data');
      // Named twice, it has to be the same object: nobody can say which one counts.
      if (event.subject !== undefined && event.subject !== data.object)
        throw new Problem('grants/bad-event', {
          detail: `${event.type} (source ${event.source}, id ${event.id}): its subject is ${event.subject}, its data.object ${data.object}`,
        });
      const kind = event.type.includes('unrelated') ? 'unrelate-object' : 'relate-object';
      return { command: { kind, ...data }, ignored: [] };
    }
    case 'postern.group.deleted.v1':
      return {
        command: {
          kind: 'delete-group',
          group: subject(GroupId, event),
          reason: parse(Anything, event.data ?? {}, event, 'data').reason,
        },
        ignored: [],
      };
    default:
      throw new Problem('grants/unknown-event-type', {
        detail: `"${event.type}" (source ${event.source}, id ${event.id})`,
        fix: 'Known: postern.person.joined.v1, .moved.v1, .left.v1, postern.group.changed.v1, .deleted.v1, postern.object.related.v1, .unrelated.v1, postern.session.revoked.v1.',
      });
  }
};

const subject = <Schema extends z.ZodType>(schema: Schema, event: InboundEvent): z.output<Schema> =>
  parse(schema, event.subject, event, 'subject');

const parse = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  event: InboundEvent,
  member: string,
): z.output<Schema> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    ({ path, message }) => `${[member, ...path].map(String).join('.')}: ${message}`,
  );
  throw new Problem('grants/bad-event', {
    detail: `${event.type} (source ${event.source}, id ${event.id}): ${issues.join('; ')}`,
  });
};

/** HR systems send names, addresses and more; only what roles may look at is taken. */
const sortOut = (data: unknown): { known: Record<string, unknown>; ignored: string[] } => {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return { known: {}, ignored: [] };
  const names = new Set([...Object.keys(Attributes.shape), 'reason']);
  const members = Object.entries(data);
  return {
    known: Object.fromEntries(
      members.filter(([name, value]) => names.has(name) && value !== null && value !== undefined),
    ),
    ignored: members.filter(([name]) => !names.has(name)).map(([name]) => name),
  };
};
