/** Postern's API as this page asks it: the cookie goes along by itself, and counts only with the header that is set here. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, message: string, code = '') {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const mount = '/.postern';
/** Longer than the gate itself waits for a room. */
const timeoutMs = 70_000;

export const ask = async (path: string, options: RequestInit = {}): Promise<Response> => {
  const late = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`${mount}${path}`, {
    ...options,
    signal: options.signal == null ? late : AbortSignal.any([options.signal, late]),
    headers: { 'postern-console': '1', ...options.headers },
  }).catch((error: unknown) => {
    if (options.signal?.aborted) throw error;
    throw new ApiFailure(0, late.aborted ? 'The gate has not answered for a minute.' : 'The gate cannot be reached.');
  });
  if (!response.ok) throw await failureOf(response);
  return response;
};

export const askJson = async <Answer>(path: string, options?: RequestInit): Promise<Answer> => {
  const response = await ask(path, options);
  try {
    return (await response.json()) as Answer;
  } catch {
    throw new ApiFailure(response.status, 'The answer cannot be read.');
  }
};

/** `once`: the same text makes a repeated sending answer as the first did, instead of doing it again. */
export const send = <Answer>(path: string, body: unknown, once?: string): Promise<Answer> =>
  askJson(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(once !== undefined && { 'idempotency-key': once }) },
    body: JSON.stringify(body),
  });

const failureOf = async (response: Response): Promise<ApiFailure> => {
  try {
    const { title, detail, fix, type } = (await response.json()) as Partial<
      Record<'title' | 'detail' | 'fix' | 'type', string>
    >;
    const said = [title, detail].filter(Boolean).join(': ') || `HTTP ${response.status}`;
    const code = /[a-z-]+\/[a-z-]+$/.exec(type ?? '')?.[0] ?? '';
    return new ApiFailure(response.status, fix ? `${said}. ${fix}` : said, code);
  } catch {
    return new ApiFailure(response.status, `HTTP ${response.status}`);
  }
};

/** The query's members that are not empty, as text that follows a path. */
export const queryText = (query: Readonly<Record<string, string>>): string => {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return text === '' ? '' : `?${text}`;
};
