/** Where AuthZEN's clients find what. */
export const authzenBase = '/.postern/access/v1';

/** The document at `/.well-known/authzen-configuration`; `base` is the gate as its clients see it: an https URL. */
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
