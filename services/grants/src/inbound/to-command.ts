/** CloudEvents of HR and identity systems, as commands. The events are named after persons and groups; the facts after principals. */
import {
  AttributeChanges,
  Attributes,
  GroupId,
  Member,
  type NativeEvent,
  ObjectId,
  ObjectSubject,
  PrincipalId,
  Problem,
  SchemaName,
} from '@postern/schemas';
import { z } from 'zod';
import type { EventCommand } from '../decide/command.ts';
import { type Timing, Timings } from './timing.ts';

/** What says what an event asks for; the same whether it has just come or has waited. */
export type EventContent = Pick<NativeEvent, 'source' | 'id' | 'type'> & {
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  readonly data?: unknown;
};

export type Read = Timing & {
  readonly command: EventCommand;
  /** `data` as far as it counts: nothing else may enter the record. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Members of `data` that were left out: personal data never enters the record. */
  readonly ignored: readonly string[];
};

const reason = z.string().min(1).max(2000).optional();
const Joined = Attributes.extend({ reason });
const Moved = AttributeChanges.extend({ reason });
const Group = z.strictObject({ add: z.array(Member).default([]), remove: z.array(Member).default([]), reason });
const Session = z.object({ before: z.iso.datetime({ offset: true }).optional(), reason });
const Relation = z.strictObject({
  object: ObjectId,
  relation: SchemaName,
  subject: ObjectSubject,
  reason,
});
const Cancelled = z.strictObject({ event: z.string().min(1), source: z.string().min(1).optional(), reason });
const asObject = (data: unknown): object =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {};
const Anything = z.object({ reason });
/** Types that other systems may send. */
export const nativeTypes = [
  'postern.person.joined.v1',
  'postern.person.moved.v1',
  'postern.person.left.v1',
  'postern.group.changed.v1',
  'postern.group.deleted.v1',
  'postern.object.related.v1',
  'postern.object.unrelated.v1',
  'postern.session.revoked.v1',
  'postern.event.cancelled.v1',
] as const;

/** Throws `grants/unknown-event-type` or `grants/bad-event`, naming the member that is wrong. */
export const toCommand = (event: EventContent, now: string): Read => {
  const { timing, rest } = timed(event);
  const read = (data: Record<string, unknown>, command: EventCommand, ignored: readonly string[] = []): Read => ({
    ...timing,
    command,
    data: defined(data),
    ignored,
  });
  switch (event.type) {
    case 'postern.person.joined.v1': {
      const { known, ignored } = sortOut(rest);
      const data = parse(Joined, withoutNulls(known), event, 'data');
      const { reason, ...attributes } = data;
      return read(data, { kind: 'join', principal: subject(PrincipalId, event), attributes, reason }, ignored);
    }
    case 'postern.person.moved.v1': {
      const { known, ignored } = sortOut(rest);
      const data = parse(Moved, known, event, 'data');
      const { reason, ...attributes } = data;
      return read(data, { kind: 'move', principal: subject(PrincipalId, event), attributes, reason }, ignored);
    }
    case 'postern.person.left.v1': {
      const data = parse(Anything, rest, event, 'data');
      return read(data, { kind: 'leave', principal: subject(PrincipalId, event), ...data });
    }
    case 'postern.session.revoked.v1': {
      const { before, reason } = parse(Session, rest, event, 'data');
      const data = { before: before ?? event.time ?? now, reason };
      return read(data, { kind: 'revoke-sessions', principal: subject(PrincipalId, event), ...data });
    }
    case 'postern.group.changed.v1': {
      const data = parse(Group, rest, event, 'data');
      return read(data, { kind: 'change-group', group: subject(GroupId, event), ...data });
    }
    case 'postern.object.related.v1':
    case 'postern.object.unrelated.v1': {
      const data = parse(Relation, { object: event.subject, ...rest }, event, 'data');
      // Named twice, it has to be the same object: nobody can say which one counts.
      if (event.subject !== undefined && event.subject !== data.object)
        throw new Problem('grants/bad-event', {
          detail: `${event.type} (source ${event.source}, id ${event.id}): its subject is ${event.subject}, its data.object ${data.object}`,
        });
      const kind = event.type.includes('unrelated') ? 'unrelate-object' : 'relate-object';
      return read(data, { kind, ...data });
    }
    case 'postern.group.deleted.v1': {
      const data = parse(Anything, rest, event, 'data');
      return read(data, { kind: 'delete-group', group: subject(GroupId, event), ...data });
    }
    case 'postern.event.cancelled.v1': {
      const data = parse(Cancelled, rest, event, 'data');
      const scheduled = { source: data.source ?? event.source, id: data.event };
      return read(data, { kind: 'cancel-scheduled', scheduled, reason: data.reason });
    }
    default:
      throw new Problem('grants/unknown-event-type', {
        detail: `"${event.type}" (source ${event.source}, id ${event.id})`,
        fix: `Known: ${nativeTypes.join(', ')}; feeds.yaml says what others mean.`,
      });
  }
};

/** `data` in two parts: when it counts, and the rest. */
const timed = (event: EventContent): { timing: Timing; rest: Record<string, unknown> } => {
  const { effective, replaces, ...rest } = asObject(event.data) as Record<string, unknown>;
  return { timing: parse(Timings, defined({ effective, replaces }), event, 'data'), rest };
};

const defined = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
const withoutNulls = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));

const subject = <Schema extends z.ZodType>(schema: Schema, event: EventContent): z.output<Schema> =>
  parse(schema, event.subject, event, 'subject');

const parse = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  event: EventContent,
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
const sortOut = (data: object): { known: Record<string, unknown>; ignored: string[] } => {
  const names = new Set([...Object.keys(Attributes.shape), 'reason']);
  const members = Object.entries(data);
  return {
    known: Object.fromEntries(members.filter(([name, value]) => names.has(name) && value !== undefined)),
    ignored: members.filter(([name]) => !names.has(name)).map(([name]) => name),
  };
};
