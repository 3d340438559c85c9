/** The walls of the house (docs/ARCHITECTURE.md). Product code only: tests may reach for what they test with. */

const room = (name) => `^(packages|services)/${name}/src`

/** Which rooms of the house each room may import. What is not listed is forbidden. */
const mayImport = {
  tide: [],
  log: ['tide'],
  cache: ['tide', 'log'],
  database: [],
  resources: ['tide', 'cache', 'database'],
  service: [],
  client: [],
  read: ['tide', 'log', 'cache', 'database', 'resources', 'service'],
  write: ['tide', 'log', 'database', 'resources', 'service'],
  invalidation: ['tide', 'log', 'database', 'resources', 'service'],
}

const rooms = Object.keys(mayImport)
const walls = rooms.map((name) => ({
  name: `${name}-imports-only-${mayImport[name].join('-') || 'itself'}`,
  severity: 'error',
  from: { path: room(name) },
  to: {
    path: '^(packages|services|infra)/',
    pathNot: [name, ...mayImport[name]].map((n) => `^(packages|services)/${n}/`),
  },
}))

module.exports = {
  forbidden: [
    ...walls,
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'tide-is-pure',
      comment: 'No clock, no I/O, no library: positions and arithmetic.',
      severity: 'error',
      from: { path: room('tide') },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'only-services-know-http',
      severity: 'error',
      from: { path: '^packages/(tide|log|cache|database|resources)/src' },
      to: { path: '(^|/)(express|node:http|node:https)($|/)|^https?$' },
    },
    {
      name: 'only-the-database-knows-prisma',
      severity: 'error',
      from: { path: '^(packages|services)/', pathNot: '^packages/database/' },
      to: { path: '@prisma/|/prisma/' },
    },
    {
      name: 'no-test-kit-in-product-code',
      severity: 'error',
      from: { path: '^(packages|services)/[^/]+/src', pathNot: '^packages/(testkit|bench)/' },
      to: { path: '^packages/(testkit|bench)/|^infra/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared-dependencies',
      severity: 'error',
      from: { path: '^(packages|services|infra)/[^/]+/?.*src' },
      // A peer that is optional is declared twice, and once in a place that counts as none.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'adapters-stand-outside-of-the-cache',
      comment: 'Who does not ask for one does not load it, nor what it is an adapter to.',
      severity: 'error',
      from: { path: '^packages/cache/src', pathNot: '^packages/cache/src/adapters/' },
      to: { path: '^packages/cache/src/adapters/|node_modules/(keyv|unstorage|bentocache)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/' },
    exclude: { path: '(^|/)(dist|test|generated)/|\\.test\\.ts$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['tidemark:source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
}
