/** Postern's own API as an OpenAPI document, made from the same list that its endpoints in the graph are made from. */
import { posternMount, posternOperations } from '@postern/schemas';

export const openApiDocument = (): Record<string, unknown> => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, template, operation, summary, access } of posternOperations) {
    const path = `${posternMount}${template.replaceAll('+}', '}')}`;
    const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    }));
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: {
        operationId: operation,
        summary,
        'x-postern': { access },
        ...(parameters.length > 0 && { parameters }),
        responses: {
          default: {
            description: 'A problem document (RFC 9457) where it fails',
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Postern', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
      schemas: {
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            fix: { type: 'string' },
          },
        },
      },
    },
    security: [{ bearer: [] }, { key: [] }],
  };
};
