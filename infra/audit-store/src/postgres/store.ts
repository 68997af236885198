import type { AuditStore } from '../port.ts';
export const openPostgresAuditStore = (_url: string): Promise<AuditStore> => Promise.reject(new Error('none'));
