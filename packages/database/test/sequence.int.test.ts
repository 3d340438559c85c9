import { eventually } from '@tidemark/testkit'
import { Client } from 'pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  newEpoch,
  newEpochIf,
  scratchDatabase,
  seedCatalogue,
  sequence,
  type Entry,
  type ScratchDatabase,
  type Session,
} from './scratch-database.js'

const databases: ScratchDatabase[] = []
let database: ScratchDatabase
let session: Session

beforeEach(async () => {
  database = await scratchDatabase()
  databases.push(database)
  session = await database.session()
  await seedCatalogue(session)
})
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

const touch = (id: number) => `UPDATE product SET stock = stock + 1 WHERE id = ${id}`
const chain = () =>
  session.rows<{ holes: number; broken: number }>(`
    SELECT count(*) FILTER (WHERE position <> before + 1)::int AS holes,
           count(*) FILTER (WHERE previous_mark <> before_mark)::int AS broken
    FROM (SELECT position, previous_mark, lag(position) OVER w AS before, lag(mark) OVER w AS before_mark
          FROM tidemark.log WINDOW w AS (ORDER BY position)) l`)

describe('sequence() gives committed changes dense positions', () => {
  it('a log begins with an epoch row, then one row for what is visible, and nothing for an empty run', async () => {
    await session.rows(`${touch(1)}; ${touch(2)}`)
    const first = await sequence(session)
    expect(first).toMatchObject({ term: 1, position: 2, more: false })
    expect(first.entries).toHaveLength(2)
    const [epoch, moved] = first.entries as [Entry, Entry]
    expect(epoch).toMatchObject({
      position: 1,
      term: 1,
      nonce: first.nonce,
      tags: [],
      changes: [{ operation: 'epoch' }],
    })
    expect(moved).toMatchObject({
      position: 2,
      mark: first.mark,
      previousMark: epoch.mark,
      tags: [
        'product',
        'product.brandId=1',
        'product.categoryId=1',
        'product.slug=p1',
        'product.slug=p2',
        'product:1',
        'product:2',
      ],
      changes: [
        { resource: 'product', key: '1', operation: 'update', version: 2, trace: null, reason: null },
        { key: '2', operation: 'update', version: 2 },
      ],
    })
    expect(Math.abs(moved.sequencedAt - Date.now())).toBeLessThan(60_000)
    expect(moved.changes[0]!.changedAt).toBeLessThanOrEqual(moved.sequencedAt)
    expect(await sequence(session)).toEqual({ ...first, entries: [] })
  })

  it('a full batch says that there is more', async () => {
    await sequence(session)
    for (let n = 0; n < 5; n += 1) await session.rows(touch(1))
    const runs = [await sequence(session, 2), await sequence(session, 2), await sequence(session, 2)]
    expect(runs.map(({ more, entries }) => [more, entries[0]?.changes.length])).toEqual([
      [true, 2],
      [true, 2],
      [false, 1],
    ])
    await expect(sequence(session, 0)).rejects.toThrow('batch must be at least 1')
  })

  it('a change that commits after one with a later id is not lost', async () => {
    const slow = await database.session()
    await slow.rows(`BEGIN; ${touch(1)}`)
    await session.rows(touch(2))
    const early = await sequence(session)
    await slow.rows('COMMIT')
    const late = await sequence(session)
    expect(early.entries.at(-1)!.changes.map(({ key }) => key)).toEqual(['2'])
    expect(late.entries.at(-1)!.changes.map(({ key }) => key)).toEqual(['1'])
    expect(late.position).toBe(early.position + 1)
  })

  it('a call that waited for another sees what committed while it waited', async () => {
    await sequence(session)
    const [holder, waiter] = [await database.session(), await database.session()]
    await session.rows(touch(1))
    await holder.rows('BEGIN; SELECT * FROM tidemark.sequence()')
    const [{ pid }] = (await waiter.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid')) as [
      { pid: number },
    ]
    const waiting = sequence(waiter)
    await expect
      .poll(async () =>
        session.rows(`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid} AND wait_event_type = 'Lock'`),
      )
      .toHaveLength(1)
    await session.rows(touch(2))
    await holder.rows('COMMIT')
    const answer = await waiting
    expect(answer.entries.flatMap(({ changes }) => changes.map(({ key }) => key))).toEqual(['2'])
    expect(await chain()).toEqual([{ holes: 0, broken: 0 }])
  })

  it('with nothing to do it takes no lock: a session that holds the clock does not hold it up', async () => {
    const before = await sequence(session)
    const holder = await database.session()
    await holder.rows('BEGIN; SELECT 1 FROM tidemark.clock FOR UPDATE')
    await session.rows(`SET lock_timeout = '200ms'`)
    expect(await sequence(session)).toEqual({ ...before, entries: [] })
    await holder.rows('ROLLBACK')
  })

  it.each(['REPEATABLE READ', 'SERIALIZABLE'])('%s is refused, saying what to do', async (level) => {
    await session.rows(`BEGIN ISOLATION LEVEL ${level}`)
    await expect(sequence(session)).rejects.toThrow(
      `tidemark.sequence() must run in READ COMMITTED, not in ${level}: call it in a transaction of its own`,
    )
    await session.rows('ROLLBACK')
  })

  it('commits durably in a session that does not, and only when it has something to commit', async () => {
    const setting = async () =>
      (await session.rows<{ v: string }>(`SELECT current_setting('synchronous_commit') AS v`))[0]!.v
    await session.rows('SET synchronous_commit = off; BEGIN')
    await sequence(session)
    expect(await setting()).toBe('on')
    await session.rows('COMMIT; BEGIN')
    await sequence(session)
    expect(await setting()).toBe('off')
    await session.rows('COMMIT')
  })

  it('16 callers against 8 writers: each change in exactly one row, no hole, and a position covers what preceded the call', async () => {
    const writers = await Promise.all(Array.from({ length: 8 }, async () => database.session()))
    const callers = await Promise.all(Array.from({ length: 16 }, async () => database.session()))
    // A session plans everything in its first call, under the lock: that is not what is looked at here.
    for (const caller of callers) {
      await session.rows(touch(1))
      await sequence(caller)
    }
    const each = 40
    const committed: { writer: number; n: number }[] = []
    const claims: { writer: number; n: number; position: number }[] = []
    let writing = true
    const write = async (writer: Session, w: number) => {
      for (let n = 0; n < each; n += 1) {
        await writer.rows(`BEGIN; INSERT INTO brand (slug, name, country) VALUES ('${w}-${n}', 'x', 'DE');
          SELECT pg_sleep(random() * 0.004); COMMIT`)
        committed.push({ writer: w, n })
      }
    }
    const call = async (caller: Session) => {
      while (writing) {
        const seen = committed.at(-1)
        const { position } = await sequence(caller, 5)
        // A batch of 5 can leave some behind; a caller goes on until nothing is left that it could have missed.
        const { more, position: last } = await sequence(caller, 500)
        if (seen && !more) claims.push({ ...seen, position: Math.max(position, last) })
      }
    }
    const calling = Promise.all(callers.map(call))
    await Promise.all(writers.map(write)).finally(() => (writing = false))
    await calling
    await sequence(session, 500)
    await sequence(session, 500)

    expect(await session.rows('SELECT count(*)::int FROM tidemark.outbox')).toEqual([{ count: 0 }])
    const where = await session.rows<{ slug: string; position: number }>(`
      SELECT b.slug, l.position::float8 FROM tidemark.log l, jsonb_array_elements(l.changes) c
      JOIN brand b ON b.id::text = c ->> 'key' WHERE c ->> 'resource' = 'brand' AND b.slug LIKE '%-%'`)
    expect(where).toHaveLength(8 * each)
    expect(new Set(where.map(({ slug }) => slug)).size).toBe(8 * each)
    expect(await chain()).toEqual([{ holes: 0, broken: 0 }])
    const positionOf = new Map(where.map(({ slug, position }) => [slug, position]))
    expect(claims.length).toBeGreaterThan(16)
    expect(claims.filter(({ writer, n, position }) => positionOf.get(`${writer}-${n}`)! > position)).toEqual(
      [],
    )
  })
})

describe('a history that may be lost opens a new epoch', () => {
  it('when the pulse is emptied: a higher term, and its row before any change', async () => {
    const before = await sequence(session)
    await session.rows(`TRUNCATE tidemark.pulse; ${touch(1)}`)
    const after = await sequence(session)
    expect(after.term).toBe(before.term + 1)
    expect(after.nonce).not.toBe(before.nonce)
    expect(
      after.entries.map(({ position, previousMark, changes }) => [
        position,
        previousMark,
        changes[0]!.operation,
      ]),
    ).toEqual([
      [before.position + 1, before.mark, 'epoch'],
      [before.position + 2, after.entries[0]!.mark, 'update'],
    ])
    expect(await sequence(session)).toMatchObject({ term: after.term, entries: [] })
  })

  it('when both tables come back from a dump: the same token in a new row is not the same pulse', async () => {
    const before = await sequence(session)
    await session.rows(`CREATE TEMP TABLE dump AS SELECT * FROM tidemark.pulse; TRUNCATE tidemark.pulse;
      INSERT INTO tidemark.pulse SELECT * FROM dump`)
    expect((await sequence(session)).term).toBe(before.term + 1)
  })

  it('when the database is a copy of another, which has its pulse and its position', async () => {
    const before = await sequence(session)
    const url = new URL(database.url)
    const name = url.pathname.slice(1)
    await session.client.end()
    url.pathname = '/postgres'
    const home = new Client({ connectionString: url.href })
    await home.connect()
    await eventually(async () => home.query(`CREATE DATABASE ${name}_copy TEMPLATE ${name}`))
    url.pathname = `/${name}_copy`
    const copy = new Client({ connectionString: url.href })
    await copy.connect()
    const { rows } = await copy.query('SELECT term FROM tidemark.sequence()')
    expect(rows).toEqual([{ term: before.term + 1 }])
    await copy.end()
    await home.query(`DROP DATABASE ${name}_copy WITH (FORCE)`)
    await home.end()
    expect((await sequence(await database.session())).term).toBe(before.term)
  })

  it('but not after VACUUM FULL or FREEZE', async () => {
    const before = await sequence(session)
    await session.rows('VACUUM FULL tidemark.pulse')
    await session.rows('VACUUM FREEZE tidemark.pulse')
    expect(await sequence(session)).toEqual({ ...before, entries: [] })
  })

  it('one epoch for many callers that find the pulse gone', async () => {
    const { term } = await sequence(session)
    await session.rows('TRUNCATE tidemark.pulse')
    const callers = await Promise.all(Array.from({ length: 8 }, async () => database.session()))
    const answers = await Promise.all(callers.map(async (caller) => sequence(caller)))
    expect(new Set(answers.map((answer) => answer.term))).toEqual(new Set([term + 1]))
    expect(answers.flatMap(({ entries }) => entries)).toHaveLength(1)
  })

  it('by hand, above a term that a sink holds', async () => {
    const before = await sequence(session)
    const forced = await newEpoch(session, 40)
    expect(forced).toMatchObject({ term: 41, position: before.position + 1, more: false })
    expect(forced.entries).toMatchObject([
      { position: forced.position, term: 41, previousMark: before.mark, tags: [] },
    ])
    expect((await newEpoch(session)).term).toBe(42)
  })

  it('20 callers that saw the same epoch begin one new epoch between them, above the term they name', async () => {
    const seen = await sequence(session)
    const callers = await Promise.all(Array.from({ length: 20 }, async () => database.session()))
    const begun = (
      await Promise.all(callers.map(async (caller) => newEpochIf(caller, seen.term, seen.nonce, 7)))
    ).flat()
    expect(begun).toMatchObject([{ term: 8, position: seen.position + 1, entries: [{ term: 8 }] }])
    expect(await sequence(session)).toMatchObject({ term: 8, nonce: begun[0]!.nonce, entries: [] })
  })

  it('not for a caller that saw the right term with another nonce', async () => {
    const { term, nonce } = await sequence(session)
    expect(await newEpochIf(session, term, nonce + 1)).toEqual([])
    expect(await sequence(session)).toMatchObject({ term, nonce })
  })

  it('for a role that may only move the log along, which may not force one', async () => {
    const { term, nonce } = await sequence(session)
    const role = `shipper_${Math.random().toString(36).slice(2)}`
    await session.rows(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA tidemark TO ${role}; SET ROLE ${role}`)
    await expect(newEpochIf(session, term, nonce)).rejects.toThrow('permission denied')
    await session.rows(`RESET ROLE;
      GRANT EXECUTE ON FUNCTION tidemark.new_epoch_if(integer, bigint, integer) TO ${role}; SET ROLE ${role}`)
    expect(await newEpochIf(session, term, nonce)).toMatchObject([{ term: term + 1 }])
    await expect(newEpoch(session)).rejects.toThrow('permission denied')
    await session.rows(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
})

describe('trim_log() keeps what either rule keeps', () => {
  const trim = async (positions: number, age: string) =>
    (await session.rows<{ n: number }>(`SELECT tidemark.trim_log($1, $2)::int AS n`, [positions, age]))[0]!.n
  const kept = async () =>
    (await session.rows<{ p: number }>('SELECT position::int AS p FROM tidemark.log ORDER BY 1')).map(
      ({ p }) => p,
    )

  beforeEach(async () => {
    for (let n = 0; n < 5; n += 1) {
      await session.rows(touch(1))
      await sequence(session)
    }
    await session.rows(
      `UPDATE tidemark.log SET sequenced_at = sequenced_at - interval '1 hour' WHERE position <= 4`,
    )
  })

  it('by number, by age, and never the head', async () => {
    expect(await trim(5, '0')).toBe(1)
    expect(await trim(0, '1 minute')).toBe(3)
    expect(await kept()).toEqual([5, 6])
    expect(await trim(0, '0')).toBe(1)
    expect(await kept()).toEqual([6])
    expect(await trim(0, '0')).toBe(0)
  })

  it('leaves no hole where the clock was set back', async () => {
    await session.rows(`UPDATE tidemark.log SET sequenced_at = now() WHERE position = 2`)
    expect(await trim(0, '1 minute')).toBe(1)
    expect(await kept()).toEqual([2, 3, 4, 5, 6])
  })

  describe('and what somebody still needs', () => {
    const trimFor = async (needs: Record<string, number>, most: number) =>
      (
        await session.rows<{ trimmed: number; kept: number; cut_off: string[] }>(
          `SELECT trimmed::int, kept::int, cut_off FROM tidemark.trim_log(0, '0', $1, $2)`,
          [JSON.stringify(needs), most],
        )
      )[0]!
    const cursorAt = (position: number) =>
      session.rows(`INSERT INTO tidemark.cursor (name, term, position) VALUES ('hook', 1, $1)`, [position])

    it('the slowest sink, from its own position on', async () => {
      expect(await trimFor({ near: 6, far: 3 }, 100)).toEqual({ trimmed: 2, kept: 4, cut_off: [] })
      expect(await kept()).toEqual([3, 4, 5, 6])
    })

    it('the slowest cursor, whoever trims', async () => {
      await cursorAt(4)
      expect(await trimFor({ near: 6 }, 100)).toMatchObject({ trimmed: 3, cut_off: [] })
      expect(await trim(0, '0')).toBe(0)
      expect(await kept()).toEqual([4, 5, 6])
    })

    it('nobody needs anything: as if there were no such rule', async () => {
      expect(await trimFor({}, 100)).toEqual({ trimmed: 5, kept: 1, cut_off: [] })
    })

    it('but no more than the cap, and says once whom it cut off', async () => {
      await cursorAt(2)
      expect(await trimFor({ near: 6, far: 1 }, 3)).toEqual({
        trimmed: 3,
        kept: 3,
        cut_off: ['cursor hook', 'far'],
      })
      expect(await trimFor({ near: 6, far: 1 }, 3)).toEqual({ trimmed: 0, kept: 3, cut_off: [] })
      expect(await kept()).toEqual([4, 5, 6])
    })

    it('two that trim at once leave what both keep', async () => {
      const other = await database.session()
      const trimIn = (one: Session) => one.rows(`SELECT FROM tidemark.trim_log(0, '0', '{"far": 4}', 100)`)
      await Promise.all([trimIn(session), trimIn(other)])
      expect(await kept()).toEqual([4, 5, 6])
    })

    it.each([
      ['[1]', 100],
      ['{}', 0],
    ])('needs %s with a cap of %i is refused', async (needs, most) => {
      await expect(session.rows(`SELECT tidemark.trim_log(0, '0', $1, $2)`, [needs, most])).rejects.toThrow(
        'most_positions must be 1 or more and needs an object',
      )
    })
  })
})
