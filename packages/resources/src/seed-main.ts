/** Command: fills the empty database named by DATABASE_URL with the sample shop. One line; exit code 1 on failure. */
import { readConfig } from './seed/config.js'
import { seed } from './seed/seed.js'

try {
  const { url, products } = readConfig()
  const startedMs = performance.now()
  const outcome = await seed(url, { products })
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(
    outcome.kind === 'present'
      ? 'seed: the catalogue has rows already, nothing to do'
      : `seed: ${outcome.categories} categories, ${outcome.brands} brands, ${outcome.products} products in ${seconds} s`,
  )
} catch (error) {
  console.error(`seed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
