/** What `postern preview --format json` writes, small. */
import { hostile } from './browser.ts';

export const preview = {
  verdict: '1 caller would gain access',
  read: 120,
  distinct: 8,
  asked: 9,
  from: '2026-03-01T00:00:00Z',
  until: '2026-03-02T00:00:00Z',
  undecided: 0,
  leftOut: [{ why: 'the caller has left', uses: 3 }],
  dropped: [],
  aside: [],
  flips: [
    {
      direction: 'deny-to-allow',
      subjects: ['user:carol'],
      live: 'payroll/changeSalary',
      here: 'payroll/changeSalary',
      example: `PATCH /payroll/${hostile}`,
      uses: 4,
      last: '2026-03-01T12:00:00Z',
      objects: [],
      objectCount: 0,
      causes: [
        {
          kind: 'role',
          what: 'the role payroll-reader opens it here and not now',
          role: 'payroll-reader',
          place: 'roles.yaml:4',
        },
      ],
      wanted: false,
    },
  ],
};
