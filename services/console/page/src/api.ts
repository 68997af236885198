/** Postern's API as this page asks it: the cookie goes along by itself, and counts only with the header that is set here. */
export class ApiFailure extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const mount = '/.postern';

export const ask = async (path: string, options: RequestInit = {}): Promise<Response> => {
  const response = await fetch(`${mount}${path}`, {
    ...options,
    headers: { 'postern-console': '1', ...options.headers },
  }).catch(() => {
    throw new ApiFailure(0, 'The gate cannot be reached.');
  });
  if (!response.ok) throw new ApiFailure(response.status, await whatFailed(response));
  return response;
};

export const askJson = async <Answer>(path: string, options?: RequestInit): Promise<Answer> =>
  (await (await ask(path, options)).json()) as Answer;

export const send = <Answer>(path: string, body: unknown): Promise<Answer> =>
  askJson(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const whatFailed = async (response: Response): Promise<string> => {
  try {
    const { title, detail } = (await response.json()) as { title?: string; detail?: string };
    return [title, detail].filter(Boolean).join(': ') || `HTTP ${response.status}`;
  } catch {
    return `HTTP ${response.status}`;
  }
};

/** The query's members that are not empty, as text that follows a path. */
export const queryText = (query: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return text === '' ? '' : `?${text}`;
};
