/** Each example of these pages is run as it stands, on real Redis, and must print what it says. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { ownRedis } from '@tidemark/testkit'
import type { OwnServer } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

interface Example {
  readonly title: string
  readonly code: string
  readonly prints: string
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const runner = fileURLToPath(new URL('children/examples.ts', import.meta.url))
const docs = new URL('../../../docs/', import.meta.url)
const pages = await Promise.all(
  [
    { name: 'guide', atLeast: 25 },
    { name: 'watching', atLeast: 6 },
  ].map(async (page) => ({ ...page, ...read(await readFile(new URL(`${page.name}.md`, docs), 'utf8')) })),
)

describe.each(pages)('$name', ({ examples, prelude, epilogue, atLeast }) => {
  let redis: OwnServer
  let folder: string
  let printed: Record<string, string>

  const fileOf = (example: Example): string => join(folder, `${examples.indexOf(example)}.ts`)

  beforeAll(async () => {
    redis = await ownRedis()
    // Inside of the package: there `@tidemark/cache` is the package itself.
    folder = await mkdtemp(join(packageFolder, 'test', '.guide-'))
    for (const example of examples)
      await writeFile(fileOf(example), [prelude, example.code, epilogue].join('\n'))
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--conditions', 'tidemark:source', runner, ...examples.map(fileOf)],
      { cwd: packageFolder, env: { ...process.env, REDIS_URL: redis.url }, timeout: 90_000 },
    )
    printed = JSON.parse(stdout) as Record<string, string>
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
    await redis.remove()
  })

  test('every section that runs says what it prints', () => {
    expect(examples.length).toBeGreaterThanOrEqual(atLeast)
    expect(examples.filter(({ prints }) => prints === '').map(({ title }) => title)).toEqual([])
  })

  test.each(examples.map((example) => [example.title, example] as const))('%s', (_title, example) => {
    expect(printed[fileOf(example)]).toBe(example.prints)
  })
})

/** Blocks marked `ts`; the first two say what stands around each example. */
function read(markdown: string) {
  const blocks: { readonly kind: string; readonly title: string; readonly code: string }[] = []
  let title = ''
  for (const match of markdown.matchAll(/^(#{2,3} .*)$|^```ts ?([\w-]*)\n([\s\S]*?)^```$/gm)) {
    if (match[1] !== undefined) title = match[1].replace(/^#+ /, '')
    else blocks.push({ kind: match[2]!, title, code: match[3]! })
  }
  const of = (kind: string): string => blocks.find((block) => block.kind === kind)!.code
  return {
    prelude: of('prelude'),
    epilogue: of('epilogue'),
    examples: blocks
      .filter(({ kind }) => kind === '')
      .map(({ title: of, code }): Example => ({
        title: of,
        code,
        prints: [...code.matchAll(/\/\/ → (.*)$/gm)].map((line) => line[1]!).join('\n'),
      })),
  }
}
