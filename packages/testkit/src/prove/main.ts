/**
 * `pnpm prove [word …]`: takes each rule of the protocol away, one at a time, in a copy of the tree, and shows that its
 * test fails. With words, only rules that contain one of them. Exit code 0: every rule is held by its test.
 */
import { fileURLToPath } from 'node:url'
import { copyTree } from './copy-tree.js'
import { readRules } from './rule.js'
import type { Rule } from './rule.js'
import { passesAsIs, tryRule } from './try-rule.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const words = process.argv.slice(2).map((word) => word.toLowerCase())
const rules = (await readRules(root)).filter(
  (rule) =>
    words.length === 0 || words.some((word) => `${rule.file} ${rule.rule}`.toLowerCase().includes(word)),
)
const { folder, remove } = await copyTree(root)
const stop = (): void => {
  void remove().then(() => process.exit(130))
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)

/** Many rules are held by the same test: whether it passes while they stand is asked once. */
const standing = new Map<string, Promise<boolean>>()
const passes = (rule: Rule): Promise<boolean> => {
  const key = `${rule.testFile} ${rule.test}`
  const known = standing.get(key) ?? passesAsIs(folder, rule)
  standing.set(key, known)
  return known
}

const failures: string[] = []
try {
  for (const [index, rule] of rules.entries()) {
    const verdict = (await passes(rule))
      ? await tryRule(folder, rule)
      : ({ kind: 'broken', why: `"${rule.test}" fails or is missing while the rule stands` } as const)
    const why = verdict.kind === 'broken' ? `: ${verdict.why}` : ''
    const line = `${verdict.kind.padEnd(9)} ${rule.file}: ${rule.rule}${why}`
    console.log(`${String(index + 1).padStart(3)}/${rules.length} ${line}`)
    if (verdict.kind !== 'held') failures.push(line)
  }
} finally {
  await remove()
}
console.log(`\n${rules.length - failures.length} of ${rules.length} rules are held by a test`)
for (const line of failures) console.log(line)
process.exitCode = failures.length === 0 && rules.length > 0 ? 0 : 1
