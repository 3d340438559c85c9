import { describe, expect, test } from 'vitest'
import { always, elapsedMs } from '../src/index.js'
import { LagProof, maxOutstandingAsks } from '../src/lag.js'

const at = (ms: number) => ({ monoMs: ms, wallMs: 1_000_000 + ms })

describe('time passed between two instants', () => {
  test('a suspended machine, whose monotonic clock stood still, has slept by its wall clock', () => {
    expect(elapsedMs({ monoMs: 10, wallMs: 100 }, { monoMs: 11, wallMs: 3_600_100 })).toBe(3_600_000)
  })

  test('a wall clock set back hides nothing of what the monotonic clock counted', () => {
    expect(elapsedMs({ monoMs: 10, wallMs: 9_000_000 }, { monoMs: 5010, wallMs: 100 })).toBe(5000)
  })
})

describe('proof of lag', () => {
  test('without any proof the lag has no bound', () => {
    const proof = new LagProof()
    expect(proof.lagMs(at(0))).toBe(Infinity)
    proof.ask({ generation: 7, count: 1, at: at(0) })
    expect(proof.lagMs(at(1))).toBe(Infinity)
  })

  test('whoever is told of each change as it is numbered is proven at every instant', () => {
    const proof = new LagProof()
    proof.prove(always)
    expect(proof.lagMs(at(0))).toBe(0)
    expect(proof.lagMs(at(1e12))).toBe(0)
    proof.prove(at(5))
    expect(proof.provenAt).toBe(always)
  })

  test('a heartbeat that had read the number proves everything before the ask, not before the heartbeat', () => {
    const proof = new LagProof()
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.answer(7, 5)
    expect(proof.lagMs(at(350))).toBe(250)
  })

  test('a heartbeat that had read a later number proves it too', () => {
    const proof = new LagProof()
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.answer(7, 60)
    expect(proof.provenAt).toEqual(at(100))
  })

  test('a heartbeat that had read the counter before the ask proves nothing', () => {
    const proof = new LagProof()
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.answer(7, 4)
    expect(proof.provenAt).toBeUndefined()
  })

  test('of several asks answered at once, the latest counts', () => {
    const proof = new LagProof()
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.ask({ generation: 7, count: 6, at: at(200) })
    proof.ask({ generation: 7, count: 7, at: at(300) })
    proof.answer(7, 6)
    expect(proof.provenAt).toEqual(at(200))
    proof.answer(7, 7)
    expect(proof.provenAt).toEqual(at(300))
  })

  test('an answer to an older ask that comes late does not replace newer proof', () => {
    const proof = new LagProof()
    proof.prove(at(300))
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.answer(7, 5)
    expect(proof.provenAt).toEqual(at(300))
  })

  test('newer is by the monotonic clock: a wall clock set back between two asks does not hide the later one', () => {
    const proof = new LagProof()
    proof.prove({ monoMs: 100, wallMs: 9_000_000 })
    proof.prove({ monoMs: 200, wallMs: 50 })
    expect(proof.provenAt?.monoMs).toBe(200)
  })

  test('a number of a counter that was lost is not answered by the counter that came after it', () => {
    const proof = new LagProof()
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.answer(8, 900)
    expect(proof.provenAt).toBeUndefined()
  })

  test('numbers taken before a reconnect are void, what was proven stays', () => {
    const proof = new LagProof()
    proof.ask({ generation: 7, count: 4, at: at(50) })
    proof.answer(7, 4)
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.voidAsks()
    proof.answer(7, 900)
    expect(proof.provenAt).toEqual(at(50))
  })

  test('discarded, it shows nothing, and asks from before cannot bring it back', () => {
    const proof = new LagProof()
    proof.prove(at(10))
    proof.ask({ generation: 7, count: 5, at: at(100) })
    proof.discard()
    proof.answer(7, 900)
    expect(proof.lagMs(at(101))).toBe(Infinity)
  })

  test('unanswered asks are kept to a limit, the newest of them', () => {
    const proof = new LagProof()
    for (let n = 1; n <= maxOutstandingAsks + 1; n++) proof.ask({ generation: 7, count: n, at: at(n) })
    proof.answer(7, 1)
    expect(proof.provenAt).toBeUndefined()
    proof.answer(7, 2)
    expect(proof.provenAt).toEqual(at(2))
  })

  test('a suspended machine goes blind though its monotonic clock stood still', () => {
    const proof = new LagProof()
    proof.prove(at(100))
    expect(proof.lagMs({ monoMs: 101, wallMs: at(100).wallMs + 60_000 })).toBe(60_000)
  })
})
