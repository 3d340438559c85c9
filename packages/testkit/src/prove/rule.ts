import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** A rule of the protocol, the text of it that can be taken away, and the test that must then fail. */
const ruleSchema = z.strictObject({
  rule: z.string().min(1),
  /** From the root of the repository. */
  file: z.string(),
  /** Stands in `file` exactly once. */
  find: z.string().min(1),
  /** What stands there without the rule. */
  replace: z.string(),
  testFile: z.string(),
  /** A part of its full name that no other test of the file has. */
  test: z.string().min(1),
})

export type Rule = z.output<typeof ruleSchema>

/** Each room keeps its rules beside its tests, in `test/rules.json`. */
export async function readRules(root: string): Promise<Rule[]> {
  const rules: Rule[] = []
  for (const floor of ['packages', 'services']) {
    for (const room of (await readdir(join(root, floor))).sort()) {
      const path = join(root, floor, room, 'test', 'rules.json')
      const text = await readFile(path, 'utf8').catch(() => '[]')
      const parsed = z.array(ruleSchema).safeParse(JSON.parse(text))
      if (!parsed.success)
        throw new Error(`${floor}/${room}/test/rules.json: ${z.prettifyError(parsed.error)}`)
      rules.push(...parsed.data)
    }
  }
  return rules
}
