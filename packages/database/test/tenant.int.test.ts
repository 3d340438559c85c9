/** Rows of tenants behind row-level security: a writer sees its own rows only, capture says all that it changed. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scratchDatabase, takeLines, type ScratchDatabase, type Session } from './scratch-database.js'

let database: ScratchDatabase
let owner: Session
let tenant: Session
const role = `tenant_${Math.random().toString(36).slice(2)}`

beforeAll(async () => {
  database = await scratchDatabase()
  owner = await database.session()
  tenant = await database.session()
  await owner.rows(`
    CREATE TABLE invoice (id int PRIMARY KEY, tenant_id int NOT NULL, total int, version int);
    CREATE TABLE line (id int PRIMARY KEY, tenant_id int NOT NULL, invoice_id int REFERENCES invoice ON DELETE CASCADE);
    SELECT tidemark.watch('invoice', 'invoice', 'id', '{"tenantId": "tenant_id"}');
    SELECT tidemark.watch('line', 'line', 'id', '{"tenantId": "tenant_id"}');
    INSERT INTO invoice VALUES (1, 1, 10), (2, 2, 20), (3, 1, 30), (5, 3, 50); INSERT INTO line VALUES (10, 1, 1), (11, 2, 1), (12, 2, 2);
    CREATE ROLE ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON invoice TO ${role}; GRANT SELECT ON line TO ${role};
    ALTER TABLE invoice ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE line ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON invoice USING (tenant_id = current_setting('app.tenant')::int) WITH CHECK (true);
    CREATE POLICY own ON line USING (tenant_id = current_setting('app.tenant')::int);
    DELETE FROM tidemark.outbox`)
  await tenant.rows(`SET app.tenant = '1'; SET ROLE ${role}`)
})
afterAll(async () => {
  await owner.rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  await database.drop()
})

it('a tenant that updates "all" rows changes its own, and only they are told', async () => {
  expect(await tenant.rows('SELECT id FROM invoice ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }])
  await tenant.rows('UPDATE invoice SET total = total + 1')
  expect(await takeLines(owner)).toEqual([
    'update invoice invoice.tenantId=1 invoice:1',
    'update invoice invoice.tenantId=1 invoice:3',
  ])
})

it('a row handed to another tenant, after which the writer cannot see it: the tags of both', async () => {
  await tenant.rows(`SET app.tenant = '3'; UPDATE invoice SET tenant_id = 2`)
  expect(await tenant.rows('SELECT id FROM invoice')).toEqual([])
  expect(await takeLines(owner)).toEqual(['update invoice invoice.tenantId=2 invoice.tenantId=3 invoice:5'])
  await tenant.rows(`SET app.tenant = '1'`)
})

it('a row inserted for another tenant, which the writer never sees', async () => {
  await tenant.rows('INSERT INTO invoice VALUES (4, 2, 40)')
  expect(await takeLines(owner)).toEqual(['insert invoice invoice.tenantId=2 invoice:4'])
})

it('a cascade into rows of another tenant', async () => {
  await tenant.rows('DELETE FROM invoice')
  expect((await takeLines(owner)).sort()).toEqual([
    'delete invoice invoice.tenantId=1 invoice:1',
    'delete invoice invoice.tenantId=1 invoice:3',
    'delete line line.tenantId=1 line:10',
    'delete line line.tenantId=2 line:11',
  ])
})

it('a session that must not be filtered: row_security = off refuses the tenant, and nothing is told', async () => {
  await tenant.rows('SET row_security = off')
  await expect(tenant.rows('UPDATE invoice SET total = 0')).rejects.toThrow('row-level security')
  await tenant.rows('RESET row_security')
  expect(await takeLines(owner)).toEqual([])
})
