/** Postern's own API for personal data, retention and holds. Whoever may see everything held of a person administers Postern. */
import { operation, type PosternOperation } from './postern-operation.ts';

export const privacyOperations: readonly PosternOperation[] = [
  operation('grants', 'admin', 'GET', '/privacy/{subject}', 'showPersonalData', 'Everything that is held of a person'),
  operation('grants', 'admin', 'POST', '/privacy/{subject}/erase', 'eraseSubject', 'Erase what is held of a person'),
  operation('grants', 'read', 'GET', '/holds', 'listHolds', 'Legal holds that stand'),
  operation('grants', 'admin', 'POST', '/holds', 'placeHold', 'Place a legal hold on a person, a log or a time'),
  operation('grants', 'admin', 'POST', '/holds/{hold}/lift', 'liftHold', 'Lift a legal hold'),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/retention',
    'getRetention',
    'How long each log is kept, and what was pruned',
  ),
  operation('audit', 'admin', 'POST', '/audit/prune', 'pruneLogs', 'Prune now what the policy no longer keeps'),
  operation(
    'audit',
    'read',
    'GET',
    '/audit/log/{log}/pruned',
    'getPruned',
    'The least index a log still holds, and why',
  ),
];
