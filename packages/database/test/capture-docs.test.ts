import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

/** `| what | told | ways: \`name of a test\` |` */
const row = /^\|[^|]+\|[^|]+\| (\w+): `(.+?)` +\|$/gm

const page = await readFile(new URL('../../../docs/capture.md', import.meta.url), 'utf8')
const named = [...page.matchAll(row)].map(([, file, test]) => [file!, test!] as const)

describe('docs/capture.md names a test for each way to change a row', () => {
  it('and for no less than the ways that matter', () => {
    const [, table = ''] = page.split('## Every way to change a row')
    const lines = table
      .split('\n## ')[0]!
      .split('\n')
      .filter((line) => line.startsWith('| '))
    // But for its head.
    expect(lines.filter((line) => !line.includes(' --'))).toHaveLength(named.length + 1)
    expect(named.length).toBeGreaterThan(50)
  })

  it.each(named)('%s: %s', async (file, test) => {
    const source = await readFile(new URL(`${file}.int.test.ts`, import.meta.url), 'utf8')
    const quoted = [`'${test.replaceAll("'", "\\'")}'`, `"${test}"`, `\`${test}\``]
    expect(quoted.some((text) => source.includes(text))).toBe(true)
  })
})
