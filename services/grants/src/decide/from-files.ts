/** How a role that came from files is told from one that somebody defined through the API. */

/** Roles with this reason are files' roles: leaving one out of the files is then a change, and not somebody else's role. */
export const publishedReason = (commit: string | undefined): string =>
  commit === undefined ? 'published from files' : `published from files at commit ${commit}`;
export const isFromFiles = (reason: string | undefined): boolean => reason?.startsWith('published from ') === true;
