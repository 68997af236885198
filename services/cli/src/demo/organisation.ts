/** The sample organisation: a few people and a group, sent as an HR system would send them, through the gate. */
import { callJson } from '../client.ts';

const event = (id: string, type: string, subject: string, data: object) => ({
  specversion: '1.0',
  id,
  source: '/demo/hr',
  type: `postern.${type}.v1`,
  subject,
  data,
});

const events = [
  event('1', 'person.joined', 'user:bob', { department: 'finance', title: 'controller' }),
  event('2', 'person.joined', 'user:carol', { department: 'hr', title: 'head of people' }),
  event('3', 'person.joined', 'user:dave', { department: 'engineering', manager: 'user:carol' }),
  event('4', 'person.joined', 'workload:payroll-bot', {}),
  event('5', 'group.changed', 'group:people-team', { add: ['user:carol'] }),
];

export const seedOrganisation = async (gate: string, key: string): Promise<void> => {
  const to = { gate, key };
  await callJson(to, '/events', {
    method: 'POST',
    body: events,
    headers: { 'content-type': 'application/cloudevents-batch+json' },
  });
  await callJson(to, '/grants', {
    method: 'POST',
    body: {
      subject: 'group:people-team#member',
      role: 'payroll-reader',
      reason: 'checks new contracts',
      ticket: 'HR-7',
    },
    headers: { 'idempotency-key': 'demo-1' },
  });
};
