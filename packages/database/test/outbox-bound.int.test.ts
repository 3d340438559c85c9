import { eventually } from '@tidemark/testkit'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { scratchDatabase, sequence, type ScratchDatabase, type Session } from './scratch-database.js'

const databases: ScratchDatabase[] = []
let database: ScratchDatabase
let session: Session

beforeEach(async () => {
  database = await scratchDatabase()
  databases.push(database)
  session = await database.session()
  await sequence(session)
})
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

const insert = (key: string, into = '(resource, key, operation, tags)') =>
  `INSERT INTO tidemark.outbox ${into} VALUES ('product', '${key}', 'update', '{x}')`

/** Commits so many changes, and moves them in two calls: the second settles what the first one saw. */
async function pass(changes: number): Promise<void> {
  await session.rows(`INSERT INTO tidemark.outbox (resource, key, operation, tags)
    SELECT 'product', 'many', 'update', '{x}' FROM generate_series(1, ${changes})`)
  for (let isMore = true; isMore;) isMore = (await sequence(session)).more
  await session.rows(insert('one'))
  await sequence(session)
}

const bound = async () =>
  (
    await session.rows<{ next: number; late: number }>(`
      SELECT (bound).next::int AS next, cardinality((bound).late) AS late
      FROM tidemark.log ORDER BY position DESC LIMIT 1`)
  )[0]!
const lastId = async () =>
  (await session.rows<{ id: number }>(`SELECT last_value::int AS id FROM tidemark.outbox_id_seq`))[0]!.id
const movedKeys = async () =>
  (await sequence(session)).entries.flatMap(({ changes }) => changes.map(({ key }) => key))

describe('looks at the outbox begin at a bound', () => {
  it('that passes what was moved once all who could have had such an id have ended', async () => {
    await pass(600)
    // Transactions of the server's other databases count too: they may have to end first.
    await eventually(async () => {
      await pass(1)
      return (await bound()).next > 600
    })
    const [plan] = await session.rows<{ 'QUERY PLAN': { Plan: unknown }[] }>(
      'EXPLAIN (FORMAT JSON) SELECT 1 FROM tidemark.waiting',
    )
    expect(JSON.stringify(plan)).toContain('outbox_pkey')
  })

  it('so that an old snapshot, for which nothing dead can be vacuumed, slows nobody down', async () => {
    const old = await database.session()
    await old.rows('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
    await pass(3_000)
    await pass(1)
    const pages = async (look: string) =>
      Math.max(
        ...(
          await session.rows<{ 'QUERY PLAN': string }>(
            `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) ${look}`,
          )
        ).map((line) => Number(/Buffers: shared hit=(\d+)/.exec(line['QUERY PLAN'])?.[1] ?? 0)),
      )
    const walked = await pages('SELECT 1 FROM tidemark.outbox WHERE id > 0 ORDER BY id LIMIT 1')
    expect(walked).toBeGreaterThan(30)
    expect(await pages('SELECT 1 FROM tidemark.waiting')).toBeLessThan(walked / 2)
    await old.rows('COMMIT')
  })

  it('that waits for one who has an id and has not committed', async () => {
    const slow = await database.session()
    await slow.rows(`BEGIN; ${insert('slow')}`)
    await pass(20)
    await pass(20)
    expect((await bound()).next).toBe(1)
    await slow.rows('COMMIT')
    expect(await movedKeys()).toEqual(['slow'])
  })

  it('that passes one who runs on and on, whose change is moved by the first call after its commit all the same', async () => {
    const slow = await database.session()
    await slow.rows(`BEGIN; ${insert('slow')}`)
    await pass(1_500)
    expect(await bound()).toMatchObject({ late: 1 })
    expect((await bound()).next).toBeGreaterThan(1_000)
    expect(await movedKeys()).toEqual([])
    await slow.rows('COMMIT')
    expect(await movedKeys()).toEqual(['slow'])
    await pass(20)
    expect(await bound()).toMatchObject({ late: 0 })
  })

  it('also where the look for it is cut short by the batch, again and again', async () => {
    const [first, second] = [await database.session(), await database.session()]
    const five = `${insert('slow')}; `.repeat(5)
    await first.rows(`BEGIN; ${five}`)
    await second.rows(`BEGIN; ${five}`)
    await pass(1_500)
    await first.rows('COMMIT')
    await second.rows('COMMIT')
    await session.rows(insert('new'))
    const keys: (string | null)[] = []
    for (let isMore = true; isMore;) {
      const moved = await sequence(session, 2)
      isMore = moved.more
      keys.push(...moved.entries.flatMap(({ changes }) => changes.map(({ key }) => key)))
    }
    expect(keys).toEqual([...Array<string>(10).fill('slow'), 'new'])
  })

  it('that knows a change of a savepoint by the transaction around it', async () => {
    const slow = await database.session()
    await slow.rows('BEGIN; SAVEPOINT a; SELECT 1')
    await slow.rows(insert('slow'))
    await slow.rows('RELEASE a')
    await pass(1_500)
    await pass(1_500)
    await slow.rows('COMMIT')
    expect(await movedKeys()).toEqual(['slow'])
  })

  it('that knows a writer who took an id and has not written its row yet', async () => {
    const [holder, slow] = [await database.session(), await database.session()]
    await holder.rows('SELECT pg_advisory_lock(1)')
    // The first of 32 ids is logged, for which the transaction is given an id by the server itself.
    await pass(1)
    // The id is taken before the tags are made; making them waits.
    const writing = slow.rows(`INSERT INTO tidemark.outbox (resource, key, operation, tags)
      VALUES ('product', 'slow', 'update', ARRAY['x' || pg_advisory_xact_lock(1)::text])`)
    await eventually(async () => (await lastId()) === 3)
    await pass(1_500)
    await pass(1_500)
    await holder.rows('SELECT pg_advisory_unlock(1)')
    await writing
    expect(await movedKeys()).toEqual(['slow'])
  })

  it('in replica mode too', async () => {
    const [holder, slow] = [await database.session(), await database.session()]
    await holder.rows('SELECT pg_advisory_lock(1)')
    await slow.rows('SET session_replication_role = replica')
    await pass(1)
    const writing = slow.rows(`INSERT INTO tidemark.outbox (resource, key, operation, tags)
      VALUES ('product', 'slow', 'update', ARRAY['x' || pg_advisory_xact_lock(1)::text])`)
    await eventually(async () => (await lastId()) === 3)
    await pass(1_500)
    await pass(1_500)
    await holder.rows('SELECT pg_advisory_unlock(1)')
    await writing
    expect(await movedKeys()).toEqual(['slow'])
  })

  it('that is given up by a new epoch', async () => {
    await pass(1_500)
    await session.rows('SELECT * FROM tidemark.new_epoch()')
    expect(await bound()).toEqual({ next: null, late: null })
    await session.rows(insert('after'))
    expect(await movedKeys()).toEqual(['after'])
  })

  it('and an id that somebody chose below it is found by find_strays(), not by sequence()', async () => {
    await pass(600)
    await session.rows(`INSERT INTO tidemark.outbox (id, resource, key, operation, tags) OVERRIDING SYSTEM VALUE
      VALUES (5, 'product', 'stray', 'update', '{stray}')`)
    expect(await movedKeys()).toEqual([])
    const find = () => session.rows<{ n: string }>('SELECT tidemark.find_strays() AS n')
    expect(await find()).toEqual([{ n: '1' }])
    expect(await find()).toEqual([{ n: '0' }])
    const [newest] = await session.rows('SELECT tags FROM tidemark.log ORDER BY position DESC LIMIT 1')
    expect(newest).toEqual({ tags: ['stray'] })
  })
})

it('32 writers, some slow, some that roll back, against 4 callers: each committed change is moved once', async () => {
  const writers = await Promise.all(Array.from({ length: 32 }, async () => database.session()))
  const callers = await Promise.all(Array.from({ length: 4 }, async () => database.session()))
  const committed: string[] = []
  let writing = true
  const write = async (writer: Session, w: number) => {
    for (let n = 0; n < 25; n += 1) {
      const key = `${w}-${n}`
      const end = n % 5 === 4 ? 'ROLLBACK' : 'COMMIT'
      const rest = w % 8 === 0 ? 'SELECT pg_sleep(0.05)' : 'SELECT pg_sleep(random() * 0.002)'
      await writer.rows(`BEGIN; ${`${insert(key)}; `.repeat(10)} ${rest}; ${end}`)
      if (end === 'COMMIT') committed.push(key)
    }
  }
  const call = async (caller: Session) => {
    while (writing) await sequence(caller, 50)
  }
  const calling = Promise.all(callers.map(call))
  await Promise.all(writers.map(write)).finally(() => (writing = false))
  await calling
  for (let isMore = true; isMore;) isMore = (await sequence(session)).more
  const moved = await session.rows<{ key: string; n: number }>(`
    SELECT c ->> 'key' AS key, count(*)::int AS n
    FROM tidemark.log l, jsonb_array_elements(l.changes) c WHERE c ->> 'resource' = 'product' GROUP BY 1`)
  expect(moved.map(({ key }) => key).toSorted()).toEqual(committed.toSorted())
  expect(moved.filter(({ n }) => n !== 10)).toEqual([])
  expect(await session.rows('SELECT tidemark.find_strays()::int AS n')).toEqual([{ n: 0 }])
  expect((await bound()).next).toBeGreaterThan(5_000)
})
