/** The smallest site with one of everything that can be called, and ann, who may call all of it with a key. */
import { granted, joined, keyed, role, routes } from './facts.ts';

export const siteKey = 'psk_ann';
export const siteHeaders = { 'x-api-key': siteKey };
export const siteFacts = [
  routes(
    'site',
    '/',
    { id: 'site/read', method: 'GET', template: '/read' },
    { id: 'site/write', method: 'POST', template: '/write', access: 'write' },
    { id: 'site/live', method: 'GET', template: '/live', websocket: true },
  ),
  role('all', { service: 'site', access: 'read' }, { service: 'site', access: 'write' }),
  joined('user:ann'),
  granted('user:ann', 'all').issued,
  keyed('credential:k1', 'user:ann', siteKey),
  granted('credential:k1', 'all').issued,
];
