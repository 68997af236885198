/** `roles.yaml`: role name → what it allows and to whom it may be given. */
import { z } from 'zod';
import { RoleRules } from '../facts/role.ts';
import { RoleName } from '../ids.ts';

export const RolesYaml = z.record(RoleName, RoleRules);
export type RolesYaml = z.infer<typeof RolesYaml>;
