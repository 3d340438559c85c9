import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')

const rules = await read('infra/prometheus/alerts.yml')

async function sources(folder: string): Promise<string[]> {
  const files = await readdir(join(root, folder), { recursive: true })
  const wanted = files.filter((file) => file.endsWith('.ts'))
  return Promise.all(wanted.map((file) => read(join(folder, file))))
}

test('each alert has its section in the operations page, and no section is of an alert that is gone', async () => {
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!)
  const page = await read('docs/operations.md')
  const sections = [...page.matchAll(/^### (Tidemark\w+)$/gm)].map(([, name]) => name!)
  expect(alerts.length).toBeGreaterThan(10)
  expect(sections.toSorted()).toEqual(alerts.toSorted())
})

test('each metric that an alert looks at is one that a service has', async () => {
  const names = new Set(
    [...rules.matchAll(/\btidemark_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, '')),
  )
  const code = (
    await Promise.all(['services/read/src', 'services/invalidation/src', 'packages/cache/src'].map(sources))
  )
    .flat()
    .join('\n')
  // The cache puts its series together: `tidemark_cache_` and what it counts.
  const isKnown = (name: string): boolean =>
    code.includes(`'${name}'`) || code.includes(`'${name.replace(/^tidemark_cache_|_total$/g, '')}'`)
  expect([...names].filter((name) => !isKnown(name))).toEqual([])
})
