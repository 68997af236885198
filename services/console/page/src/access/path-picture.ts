/** The ways as nodes and edges: subject, group, role, and what the role opens. What is alike is one node, with how many it stands for. */
import type { Alike, Way } from './rights.ts';

export type PictureNode = {
  readonly id: string;
  readonly kind: 'subject' | 'group' | 'role' | 'endpoint';
  readonly title: string;
  readonly says?: string;
  /** Where a press leads: what the page is about then. */
  readonly about?: string;
};
export type PictureEdge = {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** The grant that it is, where it is one. */
  readonly way?: Way;
};
export type Picture = {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
  readonly leftOut: number;
};

/** Beyond it a picture is none: the list says them all. */
const alikeShownMax = 24;
const namedMax = 3;
const waysShownMax = 24;

export const pictureOf = (alike: readonly Alike[]): Picture => {
  const nodes = new Map<string, PictureNode>();
  const edges = new Map<string, PictureEdge>();
  for (const each of alike.slice(0, alikeShownMax)) {
    const [subject = ''] = each.subjects;
    const many = each.subjects.length > 1;
    const from = many ? `subjects ${each.subjects.join(' ')}` : subject;
    nodes.set(
      from,
      many
        ? { id: from, kind: 'subject', title: `${each.subjects.length} subjects`, says: few(each.subjects) }
        : { id: from, kind: subject.startsWith('group:') ? 'group' : 'subject', title: subject, about: subject },
    );
    const to = `endpoints ${each.endpoints.join(' ')}`;
    nodes.set(to, endpointNode(to, each.endpoints));
    for (const way of each.ways.slice(0, waysShownMax)) {
      const role = `role ${way.role}`;
      nodes.set(role, { id: role, kind: 'role', title: way.role, about: `role:${way.role}` });
      // A key may do what both it and its owner may: both ways stand behind the right.
      const holder = way.subject !== subject && !many ? way.subject : from;
      if (holder !== from && !nodes.has(holder)) {
        nodes.set(holder, { id: holder, kind: 'subject', title: holder, about: holder });
        put(edges, { from, to: holder, label: 'acts for' });
      }
      if (way.group === undefined) put(edges, { from: holder, to: role, label: grantLabel(way), way });
      else {
        nodes.set(way.group, { id: way.group, kind: 'group', title: way.group, about: way.group });
        put(edges, { from: holder, to: way.group, label: 'is in' });
        put(edges, { from: way.group, to: role, label: grantLabel(way), way });
      }
      put(edges, { from: role, to, label: 'opens' });
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()], leftOut: countLeftOut(alike) };
};

const countLeftOut = (alike: readonly Alike[]): number =>
  Math.max(0, alike.length - alikeShownMax) +
  alike.slice(0, alikeShownMax).reduce((sum, { ways }) => sum + Math.max(0, ways.length - waysShownMax), 0);

const endpointNode = (id: string, endpoints: readonly string[]): PictureNode => {
  const [first = ''] = endpoints;
  if (endpoints.length === 1) return { id, kind: 'endpoint', title: first, about: first };
  const services = new Set(endpoints.map((each) => each.slice(0, each.indexOf('/'))));
  const [service = ''] = services;
  return {
    id,
    kind: 'endpoint',
    title: `${endpoints.length} endpoints${services.size === 1 ? ` of ${service}` : ''}`,
    says: few(endpoints),
    ...(services.size === 1 && { about: `service:${service}` }),
  };
};

const few = (names: readonly string[]): string =>
  names.length > namedMax ? `${names.slice(0, namedMax).join(', ')}, …` : names.join(', ');

const grantLabel = ({ fact, by, reason, conditions }: Way): string =>
  `fact ${fact}, by ${by}: ${reason.length > 60 ? `${reason.slice(0, 60)}…` : reason}${conditions === undefined ? '' : ' (under conditions)'}`;

const put = (edges: Map<string, PictureEdge>, edge: Omit<PictureEdge, 'id'>): void => {
  const id = `${edge.from} → ${edge.to} ${edge.way?.grant ?? ''}`;
  edges.set(id, { id, ...edge });
};
