/** Tests sit beside their file and may use the builders of any room. */
const TESTS = '(\\.test|/test-[a-z-]+)\\.ts$';

/** The direction of imports: which folder of src may know which (docs/architecture.md). Types count: an import of a type is an arrow too. */
const only = (from, allowed, comment) => ({
  name: `${from}-imports-only`,
  comment,
  severity: 'error',
  from: { path: `^src/${from}/`, pathNot: TESTS },
  to: { path: '^src/', pathNot: [`^src/${from}/`, ...allowed] },
});
const types = (from, to, comment) => ({
  name: `${from}-knows-only-types-of-${to}`,
  comment,
  severity: 'error',
  from: { path: `^src/${from}/`, pathNot: TESTS },
  to: { path: `^src/${to}/`, dependencyTypesNot: ['type-only'] },
});

/** Floors of a house, the lowest first: a room imports only rooms above it in this list. */
const floors = (house, rooms) =>
  rooms.map((room, at) => ({
    name: `${house}/${room}-is-above-what-it-imports`,
    comment: `rooms of src/${house}, the lowest first: ${rooms.join(', ')}`,
    severity: 'error',
    from: { path: `^src/${house}/${room}/`, pathNot: TESTS },
    to: { path: `^src/${house}/`, pathNot: rooms.slice(0, at + 1).map((lower) => `^src/${house}/${lower}/`) },
  }));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nobody-imports-the-composition-roots',
      severity: 'error',
      comment: 'main and complete know the table of commands, and the table loads what runs them',
      from: { pathNot: ['^src/(main|commands|run|complete)\\.ts$', '^scripts/generate\\.ts$', TESTS] },
      to: { path: '^src/(operator|commands|run|terminal|check|bindings|plan|import|cluster-report|complete)\\.ts$' },
    },
    {
      name: 'src-does-not-know-its-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: ['^test/', '\\.test\\.ts$', 'src/.*/(manual-clock|test-[a-z-]+)\\.ts$'] },
    },
    only('api', [], 'the vocabulary knows nobody'),
    only('trust', ['^src/api/'], 'pure: policy documents'),
    only('domain', ['^src/(api|trust)/'], 'pure: decisions about bindings, roles and pods'),
    only('runtime', [], 'knows nothing of IRSA or AWS'),
    only('observability', [], 'metrics are handed to others; it knows nobody'),
    only('ports', ['^src/(api|runtime)/'], 'what several callers ask of AWS and Kubernetes, as interfaces'),
    only('controllers', ['^src/(api|trust|domain|ports|runtime)/'], 'AWS and Kubernetes are reached by ports'),
    only('cli', ['^src/(api|trust|domain|ports|runtime)/'], 'thin, over the same pure parts; AWS and Kubernetes are reached by ports'),
    only('aws', ['^src/(api|trust|domain|ports|controllers|runtime)/'], 'adapters know the ports'),
    only('kube', ['^src/(api|trust|domain|ports|controllers|runtime)/'], 'adapters know the ports'),
    types('ports', 'runtime', 'ports are types'),
    types('aws', 'domain', 'decisions are not made in adapters'),
    types('aws', 'controllers', 'ports are types'),
    types('aws', 'runtime', 'clock and limiter are handed in'),
    types('kube', 'controllers', 'ports are types'),
    types('kube', 'domain', 'decisions are not made in adapters'),
    types('kube', 'runtime', 'the machinery drives the adapters, not the other way round'),
    ...floors('trust', ['document', 'evaluate', 'diagnose']),
    ...floors('domain', [
      'state',
      'status',
      'authorization',
      'service-account',
      'role',
      'verification',
      'pods',
      'binding',
      'simulation',
      'audit',
      'check',
      'confinement',
    ]),
    {
      name: 'controllers-do-not-know-each-other',
      comment: 'what they share lies beside them: the stores, and what is read from them',
      severity: 'error',
      from: { path: '^src/controllers/([^/]+)/', pathNot: TESTS },
      to: { path: '^src/controllers/[^/]+/', pathNot: '^src/controllers/$1/' },
    },
    {
      name: 'only-kube-knows-the-kubernetes-client',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kube/' },
      to: { path: 'node_modules/(@kubernetes/client-node|undici)/' },
    },
    {
      name: 'only-aws-knows-the-aws-sdk',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/aws/' },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'double-is-independent',
      comment: 'the judge of src/trust must not be built from it',
      severity: 'error',
      from: { path: '^test/testbed/' },
      to: { path: ['^src/', '^test/(?!testbed/)'] },
    },
    {
      name: 'testbed-by-its-package-name',
      comment: 'what its package.json exports, and no file of its own',
      severity: 'error',
      from: { path: '^(src|test|scripts)/', pathNot: '^test/testbed/' },
      to: { path: '^test/testbed/', dependencyTypesNot: ['aliased-workspace'] },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
