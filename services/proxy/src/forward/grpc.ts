/** How gRPC is told the status of a call (PROTOCOL-HTTP2.md of grpc/grpc): in fields of its own, beside HTTP 200. */

/** gRPC itself, with whatever codec; gRPC-Web comes over HTTP/1.1 and reads the status of HTTP. */
export const isGrpc = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/grpc(?:\+[^;,\s]+)?\s*(?:;|$)/i.test(contentType);

/** The codes of gRPC for the statuses that the gate answers with. */
const codes: Readonly<Record<number, number>> = {
  400: 3, // INVALID_ARGUMENT
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 12, // UNIMPLEMENTED
  405: 12,
  413: 8, // RESOURCE_EXHAUSTED
  429: 8,
  502: 14, // UNAVAILABLE
  503: 14,
  504: 4, // DEADLINE_EXCEEDED
};
const unknown = 2;

export const grpcStatus = (status: number, message: string): Record<'grpc-status' | 'grpc-message', string> => ({
  'grpc-status': String(codes[status] ?? unknown),
  'grpc-message': percentEncoded(message),
});

/** Printable ASCII but the percent sign; the octets of all else as %XX. */
const percentEncoded = (text: string): string =>
  [...Buffer.from(text)]
    .map((octet) =>
      octet >= 0x20 && octet <= 0x7e && octet !== 0x25
        ? String.fromCharCode(octet)
        : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
