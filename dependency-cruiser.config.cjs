/** The direction of imports: which folder of src may know which (docs/architecture.md). */
const only = (from, allowed, comment) => ({
  name: `${from}-imports-only`,
  comment,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, ...allowed] },
});
const types = (from, to, comment) => ({
  name: `${from}-knows-only-types-of-${to}`,
  comment,
  severity: 'error',
  from: { path: `^src/${from}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `^src/${to}/`, dependencyTypesNot: ['type-only'] },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'nobody-imports-the-composition-roots',
      severity: 'error',
      from: { pathNot: '^src/main\\.ts$' },
      to: { path: '^src/(operator|commands)\\.ts$' },
    },
    {
      name: 'src-does-not-know-its-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '(\\.test|/test-[a-z-]+)\\.ts$' },
      to: { path: ['^test/', '\\.test\\.ts$', 'src/.*/(manual-clock|test-[a-z-]+)\\.ts$'] },
    },
    only('api', [], 'the vocabulary knows nobody'),
    only('trust', ['^src/api/'], 'pure: policy documents'),
    only('binding', ['^src/(api|trust)/'], 'pure: decisions about bindings'),
    only('runtime', [], 'knows nothing of IRSA or AWS'),
    only('observability', [], 'metrics are handed to others; it knows nobody'),
    only('controllers', ['^src/(api|trust|binding|runtime)/'], 'the world is reached by ports'),
    only('cli', ['^src/(api|trust|binding|controllers|runtime)/'], 'thin, over the same pure parts; the world is reached by ports'),
    only('aws', ['^src/(api|trust|binding|controllers|runtime)/'], 'adapters know the ports'),
    only('kube', ['^src/(api|trust|binding|controllers|runtime)/'], 'adapters know the ports'),
    types('aws', 'binding', 'decisions are not made in adapters'),
    types('aws', 'controllers', 'ports are types'),
    types('aws', 'runtime', 'clock and limiter are handed in'),
    types('kube', 'controllers', 'ports are types'),
    types('kube', 'binding', 'decisions are not made in adapters'),
    types('kube', 'runtime', 'the machinery drives the adapters, not the other way round'),
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
      from: { path: '^(test|scripts)/', pathNot: '^test/testbed/' },
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
