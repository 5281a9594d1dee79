// What may import what. Each rule says why, so that whoever meets it knows where the code belongs instead.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Modules that need each other are one module, or miss a third one that both can use.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that resolves to nothing works on one machine only, or nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'manager-not-into-engine',
      comment: 'Managers see engines through the interface in engines/index.ts and engines/types.ts alone.',
      severity: 'error',
      from: { path: '^kernels-bridge/src/managers/' },
      to: {
        path: '^kernels-bridge/src/engines/',
        pathNot: '^kernels-bridge/src/engines/(index|types|engine|registry)\\.ts$',
      },
    },
    {
      name: 'engine-not-into-manager',
      comment:
        'An engine starts pilots and reports on them; what they mean for tasks and services is a manager’s concern.',
      severity: 'error',
      from: { path: '^kernels-bridge/src/engines/' },
      to: { path: '^kernels-bridge/src/managers/' },
    },
    {
      name: 'bridge-not-agent',
      comment:
        'Bridge and agent share what the SDK package defines (schemas, states, wire frames) and nothing of each other; an engine needs to know where the agent’s programs lie.',
      severity: 'error',
      from: { path: '^kernels-bridge/' },
      to: { path: '^(node_modules/@pilothouse/agent|pilot-agent/)', pathNot: '^pilot-agent/(src|lib)/paths\\.' },
    },
    {
      name: 'agent-not-bridge',
      comment:
        'Bridge and agent share what the SDK package defines (schemas, states, wire frames) and nothing of each other.',
      severity: 'error',
      from: { path: '^pilot-agent/' },
      to: { path: '^(node_modules/@pilothouse/bridge|kernels-bridge/)' },
    },
    {
      name: 'serving-below-bridge-and-agent',
      comment: 'What bridge and agent both need to reach an instance knows neither of them.',
      severity: 'error',
      from: { path: '^serving/' },
      to: { path: '^(node_modules/@pilothouse/(bridge|agent)|kernels-bridge/|pilot-agent/)' },
    },
    {
      name: 'sdk-stands-alone',
      comment: 'The SDK is what the others share: it knows none of them.',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { path: '^(serving|kernels-bridge|pilot-agent|jupyterlab-extension)/' },
    },
    {
      name: 'sdk-runtime-neutral',
      comment:
        'Only ./node, ./direct, ./service, ./testing and ./files may use Node; everything else runs in a browser and in Deno too.',
      severity: 'error',
      from: { path: '^sdk/src/', pathNot: '^sdk/src/(node|direct|service|testing|files)/|\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sdk-neutral-not-into-node',
      comment: 'A neutral entry that imports ./node would carry node: modules into the browser by the back door.',
      severity: 'error',
      from: { path: '^sdk/src/', pathNot: '^sdk/src/(node|direct|service|testing|files)/|\\.test\\.ts$' },
      to: { path: '^sdk/src/(node|direct|service|files)/' },
    },
    {
      name: 'sdk-zeromq-fenced',
      comment: 'zeromq stalls in Deno and panics in Bun: in the SDK only ./direct and ./service import it.',
      severity: 'error',
      from: { path: '^sdk/src/', pathNot: '^sdk/src/(direct|service)/' },
      to: { path: '(^|/)node_modules/zeromq/' },
    },
    {
      name: 'orpc-peer-in-one-file',
      comment:
        'The low-level oRPC server parts are wrapped once, in server/server-adapter.ts, which adds the back-pressure they lack.',
      severity: 'error',
      from: { path: '^kernels-bridge/src/', pathNot: '^kernels-bridge/src/server/server-adapter\\.ts$' },
      to: { path: '(^|/)node_modules/@orpc/(standard-server-peer|server/dist/adapters/standard-peer)' },
    },
    {
      name: 'extension-only-sdk',
      comment: 'The browser speaks to the bridge through the SDK; nothing of bridge or agent belongs into a page.',
      severity: 'error',
      from: { path: '^jupyterlab-extension/' },
      to: { path: '^(node_modules/@pilothouse/(bridge|agent|serving)|kernels-bridge/|pilot-agent/|serving/)' },
    },
    {
      name: 'product-not-dev-tools',
      comment: '`npm start` installs no test tools: code that ships must not need them.',
      severity: 'error',
      from: { path: '^(sdk|serving|kernels-bridge|pilot-agent|jupyterlab-extension)/src/', pathNot: '\\.test\\.tsx?$' },
      to: { path: '(^|/)node_modules/(vitest|fast-check|@vitest|dependency-cruiser|@biomejs)/' },
    },
  ],
  options: {
    // Built packages are looked at as targets, never walked into.
    doNotFollow: { path: '(^|/)(node_modules|lib)/' },
    exclude: { path: '(^|/)(labextension|_bundle)/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'require', 'node', 'default'],
    },
  },
};
