/** Gains that somebody says yes to: `user:bob gains employee:42#view`, `role:hr-reader gains payroll/list`. */
import { endpointIdOf } from '@postern/schemas';
import type { Read } from './reading.ts';

export type Gain = {
  /** A principal, a credential, `group:x` for its members, `role:x` for its holders. */
  readonly subject: string;
  /** An endpoint's id, or `employee:42#view`. */
  readonly target: string;
};

export const readGain = (text: string): Read<Gain> => {
  const [subject = '', verb, target = '', ...rest] = text.trim().split(/\s+/);
  const form = 'write SUBJECT gains SERVICE/OPERATION, or SUBJECT gains TYPE:ID#PERMISSION';
  if (verb !== 'gains' || rest.length > 0) return { what: `"${text}" is no gain`, fix: form };
  if (!/^(user|workload|credential|group|role):\S+$/.test(subject))
    return { what: `"${subject}" is nobody who could gain`, fix: form };
  const named = /^[a-z]\S*:\S+#[a-z]\w+$/.test(target) ? target : endpointIdOf(target);
  return named === undefined
    ? { what: `"${target}" is nothing to gain`, fix: form }
    : { sentence: { subject, target: named } };
};
