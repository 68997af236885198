/** What is supported here, as SCIM's clients ask for it (RFC 7643 §5, §6, §7; RFC 9865 §4). */
import { bulkUrns, operationsMax, payloadBytesMax } from './bulk.ts';
import { coreUrn, definitions, enterpriseUrn } from './definitions.ts';
import { pageMax } from './query.ts';

const schemaUrn = 'urn:ietf:params:scim:schemas:core:2.0';

export { bulkUrns };

export const serviceProviderConfig = (base: string): object => ({
  schemas: [`${schemaUrn}:ServiceProviderConfig`],
  documentationUri: 'https://www.rfc-editor.org/rfc/rfc7644',
  patch: { supported: true },
  bulk: { supported: true, maxOperations: operationsMax, maxPayloadSize: payloadBytesMax },
  filter: { supported: true, maxResults: pageMax },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  pagination: {
    cursor: true,
    index: true,
    defaultPaginationMethod: 'index',
    defaultPageSize: 100,
    maxPageSize: pageMax,
  },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token of a trusted issuer, whose subject holds the role postern-provisioner',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
    {
      type: 'httpbasic',
      name: 'API key',
      description: 'A key of Postern in the header X-API-Key, scoped to the role postern-provisioner',
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

export const resourceTypes = (base: string): readonly { readonly id: string }[] =>
  (['User', 'Group'] as const).map((kind) => ({
    schemas: [`${schemaUrn}:ResourceType`],
    id: kind,
    name: kind,
    endpoint: `/${kind}s`,
    description: kind === 'User' ? 'People: each is a principal' : 'Groups of people and of groups',
    schema: coreUrn(kind),
    ...(kind === 'User' && { schemaExtensions: [{ schema: enterpriseUrn, required: false }] }),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${kind}` },
  }));

export const schemas = (base: string): readonly { readonly id: string }[] =>
  definitions.map(({ urn, ...definition }) => ({
    schemas: [`${schemaUrn}:Schema`],
    id: urn,
    ...definition,
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${urn}` },
  }));
