/** The peers' configurations: as fast as each can be set up, with connections kept on every hop and nothing written down. */
import { stringify } from 'yaml';

export type Hop = { readonly port: number; readonly upstreamPort: number; readonly adapterPort?: number };

/** `adapterPort`: asks there about every request, as auth_request does. */
export const nginxConf = ({ port, upstreamPort, adapterPort }: Hop): string => `
worker_processes auto;
events { worker_connections 1024; }
http {
  upstream api { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 100000; }
  ${adapterPort === undefined ? '' : `upstream adapter { server 127.0.0.1:${adapterPort}; keepalive 64; keepalive_requests 100000; }`}
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 100000;
    location / {
      ${adapterPort === undefined ? '' : 'auth_request /ask;'}
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
    ${
      adapterPort === undefined
        ? ''
        : `location = /ask {
      internal;
      proxy_pass http://adapter/;
      proxy_pass_request_body off;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
    }`
    }
  }
}
`;

export const caddyfile = ({ port, upstreamPort }: Hop): string =>
  `{\n  admin off\n  auto_https off\n}\nhttp://:${port} {\n  bind 127.0.0.1\n  reverse_proxy 127.0.0.1:${upstreamPort}\n}\n`;

export const traefikFiles = ({ port, upstreamPort }: Hop): readonly [string, string] => [
  stringify({
    entryPoints: { web: { address: `127.0.0.1:${port}` } },
    providers: { file: { filename: './dynamic.yaml' } },
  }),
  stringify({
    http: {
      routers: { api: { rule: 'PathPrefix(`/`)', service: 'api' } },
      services: { api: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${upstreamPort}` }] } } },
    },
  }),
];

const extension = (of: string): string => `type.googleapis.com/envoy.extensions.${of}`;
const cluster = (name: string, port: number, more: object = {}): object => ({
  name,
  ...more,
  load_assignment: {
    cluster_name: name,
    endpoints: [
      { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }] },
    ],
  },
});

/** `adapterPort`: asks there over gRPC, as ext_authz does. */
export const envoyYaml = ({ port, upstreamPort, adapterPort }: Hop): string => {
  const ask = {
    name: 'envoy.filters.http.ext_authz',
    typed_config: {
      '@type': extension('filters.http.ext_authz.v3.ExtAuthz'),
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: 'adapter' }, timeout: '5s' },
    },
  };
  const route = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': extension('filters.http.router.v3.Router') },
  };
  const connections = {
    '@type': extension('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'bench',
    generate_request_id: false,
    route_config: {
      virtual_hosts: [{ name: 'api', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'api' } }] }],
    },
    http_filters: [...(adapterPort === undefined ? [] : [ask]), route],
  };
  const http2 = {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': extension('upstreams.http.v3.HttpProtocolOptions'),
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
  return stringify({
    static_resources: {
      listeners: [
        {
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connections }] },
          ],
        },
      ],
      clusters: [
        cluster('api', upstreamPort),
        ...(adapterPort === undefined ? [] : [cluster('adapter', adapterPort, http2)]),
      ],
    },
  });
};
