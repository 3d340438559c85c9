import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Rule } from './rule.js'

/**
 * - `held`: with the rule in place the test passes, without it the test fails
 * - `toothless`: the test passes either way
 * - `broken`: the rule or its test cannot be found, or the test fails with the rule in place; `why` says which
 */
export type Verdict =
  | { readonly kind: 'held' }
  | { readonly kind: 'toothless' }
  | { readonly kind: 'broken'; readonly why: string }

const runBoundMs = 180_000

/** Takes the rule away in `folder` (a copy of the tree), runs its test, and puts it back. */
export async function tryRule(folder: string, rule: Rule): Promise<Verdict> {
  const path = join(folder, rule.file)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return { kind: 'broken', why: `${rule.file} is not there` }
  const times = text.split(rule.find).length - 1
  if (times !== 1) return { kind: 'broken', why: `its text stands ${times} times in ${rule.file}` }
  await writeFile(
    path,
    text.replace(rule.find, () => rule.replace),
  )
  try {
    const without = await runTest(folder, rule)
    if (without.ran === 0) return { kind: 'broken', why: `no test "${rule.test}" ran in ${rule.testFile}` }
    return without.failed > 0 ? { kind: 'held' } : { kind: 'toothless' }
  } finally {
    await writeFile(path, text)
  }
}

/** Whether the tests of all rules pass while every rule stands. */
export async function passesAsIs(folder: string, rule: Rule): Promise<boolean> {
  const { ran, failed } = await runTest(folder, rule)
  return ran > 0 && failed === 0
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
}

async function runTest(folder: string, { testFile, test }: Rule): Promise<{ ran: number; failed: number }> {
  const out = await mkdtemp(join(tmpdir(), 'tidemark-prove-report-'))
  const file = join(out, 'report.json')
  const name = test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const child = spawn(
    process.execPath,
    [
      join(folder, 'node_modules/vitest/vitest.mjs'),
      'run',
      testFile,
      '-t',
      name,
      '--reporter=json',
      `--outputFile=${file}`,
    ],
    { cwd: folder, stdio: 'ignore' },
  )
  let hasHung = false
  const timer = setTimeout(() => {
    hasHung = true
    child.kill('SIGKILL')
  }, runBoundMs)
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  try {
    const report = JSON.parse(await readFile(file, 'utf8')) as Report
    return { ran: report.numPassedTests + report.numFailedTests, failed: report.numFailedTests }
  } catch {
    // A rule whose absence makes its test hang is missed as well; code that does not load shows nothing.
    return hasHung ? { ran: 1, failed: 1 } : { ran: 0, failed: 0 }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}
