/** Environment variable that carries the shared stores from vitest's global set-up to every worker and child. */
export const STORES_VARIABLE = 'TIDEMARK_TEST_STORES'

/** Where the shared servers came from. */
export type StoresKind = 'environment' | 'containers' | 'local'

export interface SharedStores {
  /** A database on the shared server to create others from; tests never write to it. */
  readonly postgresUrl: string
  readonly redisUrl: string
  readonly kind: StoresKind
}

/**
 * The servers that all tests of one run share. They run without syncing to disk: a test of durability takes
 * `ownPostgres` or `ownRedis`.
 * @throws if vitest's global set-up (`src/vitest/global-setup.ts`) has not run
 */
export function stores(): SharedStores {
  const text = process.env[STORES_VARIABLE]
  if (text === undefined)
    throw new Error('no shared stores: name the test .int, .sim or .e2e so that vitest starts them')
  return JSON.parse(text) as SharedStores
}
