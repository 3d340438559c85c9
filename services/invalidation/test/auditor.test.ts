import { describe, expect, test } from 'vitest'

import { createAuditor } from '../src/auditor/auditor.js'
import type { AuditorOptions, Finding } from '../src/auditor/auditor.js'
import { judge } from '../src/auditor/judge.js'
import { reportOf, auditSchema } from '../src/auditor/report.js'
import type { Answer, AuditTarget, Since, State } from '../src/auditor/target.js'
import { HandClock } from './fixture/hand-clock.js'

const state = (version: number, digest = `v${version}`): State => ({ isPresent: true, digest, version })

/** An origin and a cache of one key, both in the test's hands. */
function setUp(options: Partial<AuditorOptions> = {}) {
  const clock = new HandClock()
  const house = {
    origin: state(1),
    cached: state(1) as State | undefined,
    promisedMs: undefined as number | undefined,
    since: 'untouched' as Since,
    isOriginDown: false,
    asked: [] as number[],
  }
  const target: AuditTarget = {
    name: 'ours',
    sample: () => Promise.resolve('/a'),
    truth: () =>
      house.isOriginDown
        ? Promise.reject(new Error('away'))
        : Promise.resolve({ state: house.origin, place: '1-5' }),
    answer() {
      house.asked.push(clock.now().monoMs)
      const { cached, promisedMs } = house
      return Promise.resolve<Answer>({
        status: cached === undefined ? 503 : 200,
        state: cached,
        headers: { age: '3' },
        promisedMs,
      })
    },
    since: () => Promise.resolve(house.since),
    history: () => Promise.resolve(['what happened']),
  }
  const alarms: Finding[] = []
  const errors: unknown[] = []
  const auditor = createAuditor({
    target,
    samplesPerSecond: 0,
    onBroken: (finding) => alarms.push(finding),
    onError: (error) => errors.push(error),
    clock,
    ...options,
  })
  const counts = () =>
    Object.fromEntries(
      auditor.horizons.map(
        ({ horizonMs, counts: { consistent, inconsistent, inconclusive, unanswered } }) => [
          horizonMs,
          [consistent, inconsistent, inconclusive, unanswered],
        ],
      ),
    )
  return { clock, house, auditor, alarms, errors, counts }
}

describe('each sample is looked at', () => {
  test('at 0, 1, 5 and 60 seconds after its truth, against that truth', async () => {
    const { clock, house, auditor, counts } = setUp()
    const start = clock.now().monoMs
    await auditor.sample()
    await clock.pass(120_000)
    expect(house.asked.map((at) => at - start)).toEqual([0, 1_000, 5_000, 60_000])
    expect(counts()).toEqual({
      0: [1, 0, 0, 0],
      1_000: [1, 0, 0, 0],
      5_000: [1, 0, 0, 0],
      60_000: [1, 0, 0, 0],
    })
    expect(clock.waiting).toBe(0)
  })

  test('also where the answer lags for some seconds: inconsistent until then', async () => {
    const { clock, house, auditor, alarms, counts } = setUp()
    house.origin = state(2)
    await auditor.sample()
    await clock.pass(3_000)
    house.cached = state(2)
    await clock.pass(120_000)
    expect(counts()).toEqual({
      0: [0, 1, 0, 0],
      1_000: [0, 1, 0, 0],
      5_000: [1, 0, 0, 0],
      60_000: [1, 0, 0, 0],
    })
    expect(alarms).toEqual([])
    const [finding] = auditor.findings
    expect(finding).toMatchObject({ key: '/a', truth: { place: '1-5' }, history: ['what happened'] })
    expect(finding!.looks.map(({ verdict, afterMs }) => [verdict, afterMs])).toEqual([
      ['inconsistent', 0],
      ['inconsistent', 1_000],
      ['consistent', 5_000],
      ['consistent', 60_000],
    ])
  })
})

describe('an answer is called older', () => {
  test.each<[string, Since, State, string]>([
    ['where nothing touched it', 'untouched', state(2, 'other'), 'inconsistent'],
    ['where its version is lower and only updates came', 'updated', state(1), 'inconsistent'],
  ])('%s', (_, since, answer, verdict) => {
    expect(judge(state(2), answer, since)).toBe(verdict)
  })

  test.each<[string, Since, State, string]>([
    ['whose version is higher', 'updated', state(3), 'consistent'],
    ['that shows what came later', 'later', state(1), 'consistent'],
    ['of the same version', 'updated', state(2, 'other'), 'inconclusive'],
    ['without a version', 'updated', { isPresent: true, digest: 'x', version: undefined }, 'inconclusive'],
    ['of nothing', 'updated', { isPresent: false, digest: '', version: undefined }, 'inconclusive'],
    ['of a lower version, where it may have been made anew', 'unknown', state(1), 'inconclusive'],
  ])('and never one %s', (_, since, answer, verdict) => {
    expect(judge(state(2), answer, since)).toBe(verdict)
  })
})

describe('a promise is broken', () => {
  test('when an older answer was asked for later than it may trail: one alarm for each sample', async () => {
    const { clock, house, auditor, alarms } = setUp()
    house.origin = state(2)
    house.promisedMs = 2_000
    await auditor.sample()
    await clock.pass(120_000)
    expect(auditor.horizons.map(({ broken }) => broken)).toEqual([0, 0, 1, 1])
    expect(alarms).toHaveLength(1)
    expect(alarms[0]!.looks.at(-1)).toMatchObject({ horizonMs: 5_000, isBroken: true })
  })

  test('never by an answer that promises nothing', async () => {
    const { clock, house, auditor, alarms } = setUp()
    house.origin = state(2)
    await auditor.sample()
    await clock.pass(120_000)
    expect([auditor.horizons.map(({ broken }) => broken), alarms]).toEqual([[0, 0, 0, 0], []])
  })
})

describe('it is cheap and bounded', () => {
  test('it keeps its pace', async () => {
    const { clock, house } = setUp({ samplesPerSecond: 4, horizonsMs: [0] })
    await clock.pass(10_000)
    expect(house.asked).toHaveLength(40)
  })

  test('samples that are open are bounded, and so are findings', async () => {
    const { clock, house, auditor } = setUp({ openMax: 3, findingsMax: 2 })
    house.origin = state(2)
    for (let n = 0; n < 5; n++) await auditor.sample()
    expect([clock.waiting, auditor.skipped, auditor.findings.length]).toEqual([3, 2, 2])
    await clock.pass(120_000)
    await auditor.sample()
    expect(auditor.skipped).toBe(2)
  })

  test('a stop leaves no timer behind', async () => {
    const { clock, auditor } = setUp({ samplesPerSecond: 1 })
    await auditor.sample()
    await clock.pass(3_000)
    await auditor.stop()
    expect(clock.waiting).toBe(0)
  })
})

test('no answer and no origin are told apart, and neither ends the auditor', async () => {
  const { clock, house, auditor, errors, counts } = setUp({ horizonsMs: [0, 1_000] })
  house.cached = undefined
  await auditor.sample()
  house.isOriginDown = true
  await auditor.sample()
  house.isOriginDown = false
  house.cached = state(1)
  await clock.pass(1_000)
  expect(counts()).toEqual({ 0: [0, 0, 0, 1], 1_000: [1, 0, 0, 0] })
  expect([auditor.skipped, errors.length]).toEqual([1, 1])
})

test('the report is as documented, and holds the share among those known', async () => {
  const { clock, house, auditor } = setUp({ horizonsMs: [0, 1_000] })
  await auditor.sample()
  house.origin = state(2)
  await auditor.sample()
  house.since = 'unknown'
  house.cached = state(9)
  await clock.pass(1_000)
  const report = auditSchema.parse(JSON.parse(JSON.stringify(reportOf([auditor]))))
  expect(report.targets[0]!.horizons).toMatchObject([
    { horizonMs: 0, samples: 2, consistent: 1, inconsistent: 1, share: 0.5 },
    { horizonMs: 1_000, samples: 2, inconclusive: 2, share: null },
  ])
  expect(report.targets[0]!.findings).toMatchObject([{ key: '/a', answers: [{ state: { version: 1 } }, {}] }])
})
