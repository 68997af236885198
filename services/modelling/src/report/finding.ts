/** What the workbench has to say about a place in the files: a rule's name, how grave, where, what, and how to mend it. */

/** Every rule, for SARIF and for whoever looks a finding up. */
export const rules = {
  'config/mistake': 'A file of the model cannot be read as it is written',
  'config/note': 'A file is read more narrowly than it is written',
  'schema/syntax': 'The schema cannot be read',
  'schema/refused': 'The engine refuses the schema',
  'schema/unknown-name': 'An expression names what its definition does not have',
  'schema/name': 'A name does not follow the pattern of the engine',
  'schema/twice': 'A definition has two members of one name',
  'schema/mixed-operators': 'Operators are mixed without parentheses, and bind otherwise than they read',
  'schema/unannotated': 'A permission does not say which subjects it is for',
  'schema/wildcard': 'A relation takes everybody of a type',
  'schema/expiration': 'A rule is fed by expiration',
  'schema/exclusion': 'A permission takes away what a late fact may still give',
  'schema/foreign-caveat': 'A caveat asks for what the gate never knows',
  'schema/gate-definition': 'A definition of the gate lacks what the gate writes',
  'schema/unused-relation': 'No permission rests on a relation',
  'role/unreachable': 'Nobody can hold a role',
  'role/empty': 'A role allows nothing that exists',
  'role/wide': 'A role is as wide as administration',
  'role/write-for-reads': 'Write access is given where there is nothing to write',
  'role/write-not-used': 'Write access is given where only reads were made',
  'role/redundant': 'An allowance is part of another one of the same role',
  'role/duties': 'Separation of duties contradicts itself',
  'role/approver': 'An approver names a role that does not exist',
  'role/unused': 'Nobody holds a role, by birthright or in the assertions',
  'route/uncallable': 'No role opens an endpoint',
  'route/opaque': 'One endpoint stands for many operations',
  'route/public': 'Anybody may call an endpoint, without a credential',
  'route/object': 'An object rule asks for what the schema does not have',
  'assertion/syntax': 'An assertion cannot be read',
  'assertion/given': 'A given fact is refused by the model',
  'assertion/failed': 'The model does not do what is asserted',
  'change/drops-relationships': 'The change leaves live relationships without a place in the schema',
  'change/refused': 'The model that is compared against cannot be read',
  'change/gains': 'Somebody may do more than before',
  'change/gains-idle': 'A gain is said yes to that is none',
  'change/loses': 'Somebody may do less than before',
  'coverage/low': 'Fewer things are touched by assertions than asked for',
} as const;
export type Rule = keyof typeof rules;

export type Level = 'error' | 'warning' | 'note';
export type Finding = {
  readonly rule: Rule;
  readonly level: Level;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly what: string;
  /** How to mend it. */
  readonly fix?: string;
};

/** By file, then line, then as found: the same findings in the same order at every run. */
export const inOrder = (findings: readonly Finding[]): Finding[] =>
  findings
    .filter((finding, n) => findings.findIndex((other) => isSame(other, finding)) === n)
    .map((finding, index) => ({ finding, index }))
    .sort(
      (a, b) =>
        (a.finding.file < b.finding.file ? -1 : a.finding.file > b.finding.file ? 1 : 0) ||
        a.finding.line - b.finding.line ||
        a.index - b.index,
    )
    .map(({ finding }) => finding);

const isSame = (a: Finding, b: Finding): boolean => a.file === b.file && a.line === b.line && a.what === b.what;
