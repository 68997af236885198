/** What the process that evaluates is asked, and what it tells. */
export type Asked = { readonly number: number; readonly expression: string; readonly input: unknown };

export type Told =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'made'; readonly number: number; readonly json: string }
  | { readonly outcome: 'failed'; readonly number: number; readonly why: string; readonly position?: number };
