/** Roles and routes that are no mistakes and yet not what anybody wants. Pure: on the model as it was read. */
import type { ModelPlaces } from '@postern/runtime';
import type { ZedSchema } from '@postern/schemas/zed';
import type { Model } from '../folded-model.ts';
import type { Finding } from '../report/finding.ts';
import { lintRoles } from './lint-roles.ts';
import { lintRoutes } from './lint-routes.ts';
import type { Say } from './opens.ts';

export type LintModelDeps = { readonly model: Model; readonly places: ModelPlaces; readonly schema: ZedSchema };

export const lintModel = ({ model, places, schema }: LintModelDeps): Finding[] => {
  const findings: Finding[] = [];
  const say: Say = (rule, level, place, what, fix) =>
    void findings.push({ rule, level, ...place, what, ...(fix !== undefined && { fix }) });
  lintRoles(model, places, say);
  lintRoutes(model, places, schema, say);
  return findings;
};
