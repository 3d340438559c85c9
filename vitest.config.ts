import { configDefaults, defineConfig } from 'vitest/config'

/** Sources, not builds: a test never runs against yesterday's `dist`. No `module`: those files are for bundlers, not for Node. */
const resolve = { conditions: ['tidemark:source', 'node', 'development|production'] }
const ssr = { resolve: { conditions: ['tidemark:source', 'node', 'development|production'] } }

const project = (name: string, include: string[], more: object = {}) => ({
  resolve,
  ssr,
  // The global set-up is loaded in an environment of its own.
  environments: { __vitest__: { resolve } },
  test: { name, include, exclude: configDefaults.exclude, ...more },
})

const roots = '{packages,services,infra}/**'
const stores = {
  globalSetup: ['packages/testkit/src/vitest/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
}

export default defineConfig({
  test: {
    projects: [
      {
        ...project('unit', [`${roots}/*.test.ts`]),
        test: {
          name: 'unit',
          include: [`${roots}/*.test.ts`],
          exclude: [...configDefaults.exclude, '**/*.{int,sim,e2e}.test.ts'],
        },
      },
      project('int', [`${roots}/*.int.test.ts`], stores),
      project('sim', [`${roots}/*.sim.test.ts`], stores),
      project('e2e', [`${roots}/*.e2e.test.ts`], stores),
    ],
    maxWorkers: 2,
  },
})
