/** The pages that show, and what each needs. */
export type SeePages = {
  readonly now: boolean;
  readonly access: boolean;
  readonly time: boolean;
  readonly model: boolean;
  readonly record: boolean;
};
/** What somebody has to be allowed to call, to be offered the page. */
export const seeNeeded = {
  now: 'findDecisions',
  access: 'asOf',
  time: 'asOf',
  model: 'getModel',
  record: 'findFacts',
} as const satisfies Record<keyof SeePages, string>;
