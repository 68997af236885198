/**
 * The pipelines of the docs, their lines as they stand: in a repository that `postern init` made, with the variables that GitHub and
 * GitLab set, against a running gate. `uses:` steps are done by hand; `npm ci` is npm's own, on a lock file without packages.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { postern } from '../world/command.ts';
import { freeBasePort, posternMain, type Running, root, startPostern } from '../world/embedded.ts';

type Step = {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: { readonly path?: string };
  readonly if?: string;
};
type Job = {
  readonly steps?: readonly Step[];
  readonly script?: readonly string[];
  readonly before_script?: readonly string[];
  readonly rules?: readonly { readonly if?: string }[];
};
type Pipeline = { readonly jobs?: Readonly<Record<string, Job>>; readonly default?: Job };
/** GitLab's jobs stand at the top. */
const jobsOf = (pipeline: Pipeline) => Object.entries(pipeline as Readonly<Record<string, Job>>);

/** The fenced YAML of a page that holds a pipeline. */
const pipelines = async (page: string): Promise<{ readonly github: Pipeline; readonly gitlab: Pipeline }> => {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  const all = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => parse(yaml ?? '') as Pipeline);
  const github = all.find((each) => each.jobs !== undefined);
  const gitlab = all.find((each) => jobsOf(each).some(([, job]) => job.script !== undefined));
  assert.ok(github && gitlab, `${page} has both`);
  return { github, gitlab };
};

describe("the docs' pipelines", () => {
  let folder: string;
  let running: Running;
  let environment: NodeJS.ProcessEnv;

  const git = (cwd: string, ...args: readonly string[]): string =>
    execFileSync(
      'git',
      ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com', '-c', 'protocol.file.allow=always', ...args],
      {
        cwd,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    ).trim();
  /** A fresh clone of the pull request's branch, as a runner has it. */
  const checkout = async (): Promise<string> => {
    const clone = await mkdtemp(join(folder, 'clone-'));
    git(folder, 'clone', '-q', '--branch', 'narrower', `file://${join(folder, 'origin.git')}`, clone);
    return clone;
  };
  const runs = (cwd: string, lines: readonly string[], more: NodeJS.ProcessEnv): string => {
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', lines.join('\n')], {
      cwd,
      env: { ...environment, ...more },
      encoding: 'utf8',
      timeout: 120_000,
    });
    assert.equal(status, 0, `${lines.join('\n')}\n${stdout}\n${stderr}\n${running.output()}`);
    return stdout;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-pipelines-'));
    const [basePort, repo, live] = [await freeBasePort(), join(folder, 'repo'), join(folder, 'live')];
    await mkdir(repo);
    assert.equal((await postern(['init'], { cwd: repo })).code, 0);
    const config = await readFile(join(repo, 'postern.yaml'), 'utf8');
    await writeFile(
      join(repo, 'postern.yaml'),
      config
        .replace('127.0.0.1:8080', `127.0.0.1:${basePort}`)
        .replace('127.0.0.1:8081', `127.0.0.1:${basePort + 1}`)
        .replace('model: {', 'model: { publish: by-command,'),
    );
    await writeFile(join(repo, '.gitignore'), 'node_modules\n.postern\n.base\n');
    await writeFile(join(repo, 'wanted.yaml'), '[]\n');
    await writeFile(join(repo, 'package.json'), '{"name":"permissions","version":"1.0.0","private":true}\n');
    await writeFile(
      join(repo, 'package-lock.json'),
      '{"name":"permissions","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"permissions","version":"1.0.0"}}}\n',
    );
    await cp(repo, live, { recursive: true });
    running = await startPostern(['up'], { cwd: live });
    const gate = `http://127.0.0.1:${basePort}`;
    const key = (await readFile(join(live, '.postern/admin.key'), 'utf8')).trim();
    git(repo, 'init', '-q', '-b', 'main');
    git(repo, 'add', '-A');
    git(repo, 'commit', '-qm', 'the model');
    git(folder, 'clone', '-q', '--bare', repo, join(folder, 'origin.git'));
    git(repo, 'checkout', '-qb', 'narrower');
    const roles = await readFile(join(repo, 'roles.yaml'), 'utf8');
    await writeFile(
      join(repo, 'roles.yaml'),
      roles.replace(
        '[{ service: example, access: read }]',
        '[{ endpoint: example/listThings }, { endpoint: example/getThing }]',
      ),
    );
    git(repo, 'commit', '-qam', 'readers read what they read');
    git(repo, 'push', '-q', `file://${join(folder, 'origin.git')}`, 'narrower');

    const bin = join(folder, 'bin');
    await mkdir(bin);
    // `npx postern` is this checkout's, and nothing else is npx asked for.
    await writeFile(
      join(bin, 'npx'),
      `#!/bin/sh\n[ "$1" = postern ] || exit 127\nshift\nexec "${process.execPath}" --disable-warning=ExperimentalWarning "${posternMain}" "$@"\n`,
    );
    await chmod(join(bin, 'npx'), 0o755);
    await symlink(process.execPath, join(bin, 'node'));
    environment = {
      ...process.env,
      PATH: `${bin}:${process.env['PATH']}`,
      POSTERN_URL: gate,
      POSTERN_KEY: key,
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    };
  });
  after(async () => {
    running?.process.kill('SIGTERM');
    await running?.ended;
    await rm(folder, { recursive: true, force: true });
  });

  for (const page of ['how-to/test-permissions-in-ci.md', 'tutorial/permissions-as-code.md']) {
    for (const event of ['pull_request', 'push'])
      test(`GitHub's of ${page} pass at a ${event}`, async () => {
        const { github } = await pipelines(page);
        const jobs = Object.values(github.jobs ?? {});
        assert.ok(jobs.length > 0);
        const repo = await checkout();
        const summary = join(repo, '.git', 'summary.md');
        for (const { steps = [] } of jobs)
          for (const { run, uses, with: given, if: only } of steps) {
            if (uses?.startsWith('actions/checkout@') && given?.path !== undefined)
              git(repo, 'clone', '-q', '--branch', 'main', `file://${join(folder, 'origin.git')}`, given.path);
            if (run === undefined || (only?.includes('event_name') && !only.includes(`'${event}'`))) continue;
            runs(repo, [run], {
              CI: 'true',
              GITHUB_EVENT_NAME: event,
              GITHUB_SHA: git(repo, 'rev-parse', 'HEAD'),
              GITHUB_ACTOR: 'renovate[bot]',
              GITHUB_BASE_REF: 'main',
              GITHUB_STEP_SUMMARY: summary,
            });
          }
        const all = JSON.stringify(jobs);
        if (all.includes('check.sarif'))
          assert.equal(JSON.parse(await readFile(join(repo, 'check.sarif'), 'utf8')).version, '2.1.0');
        if (all.includes('GITHUB_STEP_SUMMARY') && event === 'pull_request')
          assert.match(await readFile(summary, 'utf8'), /\S/);
      });

    test(`GitLab's of ${page} pass in a merge request, and on the default branch`, async () => {
      const { gitlab } = await pipelines(page);
      const repo = await checkout();
      let scripts = 0;
      for (const [name, job] of jobsOf(gitlab)) {
        if (job.script === undefined) continue;
        scripts++;
        const artifacts = /[\w-]+\.xml/.exec(job.script.join(' '))?.[0];
        runs(repo, [...(gitlab.default?.before_script ?? []), ...job.script], {
          CI: 'true',
          CI_PIPELINE_SOURCE: 'merge_request_event',
          CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
          CI_COMMIT_SHA: git(repo, 'rev-parse', 'HEAD'),
          CI_COMMIT_BRANCH: 'main',
          GITLAB_USER_LOGIN: 'renovate[bot]',
          CI_DEFAULT_BRANCH: 'main',
        });
        if (artifacts !== undefined) assert.match(await readFile(join(repo, artifacts), 'utf8'), /^<\?xml/, name);
      }
      assert.ok(scripts > 0);
    });
  }

  test('what they published names the commit, its author and who held the key', async () => {
    const response = await fetch(
      `${environment['POSTERN_URL']}/.postern/audit/facts?type=postern.role.changed.v1&limit=1`,
      {
        headers: { 'x-api-key': environment['POSTERN_KEY'] ?? '' },
      },
    );
    const { items } = (await response.json()) as {
      items: { body: { authid: string; data: Record<string, unknown> } }[];
    };
    assert.equal(items[0]?.body.authid, 'user:admin');
    assert.partialDeepStrictEqual(items[0]?.body.data, {
      author: 'user:renovate=5Bbot=5D',
      commit: git(join(folder, 'repo'), 'rev-parse', 'HEAD'),
    });
  });
});
