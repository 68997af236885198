/** Where AuthZEN's clients find what: the document at `/.well-known/authzen-configuration` (AuthZEN 1.0, section 9). */
import { posternMount } from './postern-api.ts';

export const authzenBase = `${posternMount}/access/v1`;

/** `base` is the gate as its clients see it: an https URL. */
export const authzenConfiguration = (base: string): Readonly<Record<string, string>> => {
  const root = base.replace(/\/+$/, '');
  const at = (path: string) => `${root}${authzenBase}/${path}`;
  return {
    policy_decision_point: root,
    access_evaluation_endpoint: at('evaluation'),
    access_evaluations_endpoint: at('evaluations'),
    search_subject_endpoint: at('search/subject'),
    search_resource_endpoint: at('search/resource'),
    search_action_endpoint: at('search/action'),
  };
};
