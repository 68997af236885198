/** The header section of an HTTP/2 request as HTTP/1.1 has it (RFC 9113 §8.3.1), for a reader that knows no other. */

export type Http1View = { readonly rawHeaders: string[] } | { readonly why: string };

const ofTheConnection = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** `hasBody`: the stream did not end with its headers. */
export const toHttp1 = (
  fields: readonly string[],
  { encrypted, hasBody }: { encrypted: boolean; hasBody: boolean },
): Http1View => {
  const pseudo = new Map<string, string>();
  const rawHeaders: string[] = [];
  let host: string | undefined;
  let cookie: string | undefined;
  let sized = false;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name, value] = [fields[at] ?? '', fields[at + 1] ?? ''];
    if (name.startsWith(':')) {
      if (pseudo.has(name)) return { why: `${name} comes twice` };
      pseudo.set(name, value);
    } else if (name !== name.toLowerCase()) return { why: 'a field name is not in lower case' };
    else if (ofTheConnection.has(name)) return { why: `the field ${name} is of a connection, and HTTP/2 has none` };
    else if (name === 'te' && value.toLowerCase() !== 'trailers') return { why: 'the field te asks for a coding' };
    else if (name === 'host') {
      if (host !== undefined) return { why: 'the header host comes twice' };
      host = value;
    }
    // A client may send each pair by itself, for the sake of compression (RFC 9113 §8.2.3).
    else if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`;
    else {
      if (name === 'content-length') sized = true;
      rawHeaders.push(name, value);
    }
  }
  const [method, scheme, path, authority] = [':method', ':scheme', ':path', ':authority'].map((name) =>
    pseudo.get(name),
  );
  if (method === undefined || scheme === undefined || path === undefined) return { why: 'a pseudo-header is missing' };
  if (pseudo.size !== (authority === undefined ? 3 : 4)) return { why: 'it carries a pseudo-header nobody knows' };
  if (encrypted ? scheme !== 'https' : scheme !== 'http' && scheme !== 'https')
    return { why: 'its scheme is not that of the connection' };
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    return { why: ':authority and host name different hosts' };
  const named = authority ?? host;
  if (named !== undefined) rawHeaders.push('host', named);
  if (cookie !== undefined) rawHeaders.push('cookie', cookie);
  // How long the body is, is known when the stream ends: what HTTP/1.1 calls chunked.
  if (hasBody && !sized) rawHeaders.push('transfer-encoding', 'chunked');
  return { rawHeaders };
};
