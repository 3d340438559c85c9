/** Ways to change rows that are not plain statements on a plain table: see also capture, partition and tenant. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  scratchDatabase,
  seedCatalogue,
  takeLines,
  type ScratchDatabase,
  type Session,
} from './scratch-database.js'

const databases: ScratchDatabase[] = []
let session: Session

beforeEach(async () => {
  const database = await scratchDatabase()
  databases.push(database)
  session = await database.session()
  await seedCatalogue(session)
})
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

const told = () => takeLines(session)
const sorted = async () => (await told()).sort()
const p = (operation: string, key: number, brand = 1) =>
  `${operation} product product.brandId=${brand} product.categoryId=1 product.slug=p${key} product:${key}`

describe('statements within statements', () => {
  it('writable CTEs: each of them, once, and the statement around them', async () => {
    await session.rows(`
      WITH gone AS (DELETE FROM product WHERE id = 1 RETURNING brand_id),
           moved AS (UPDATE product SET brand_id = 2 WHERE id = 2 RETURNING brand_id),
           renamed AS (UPDATE brand SET country = 'IT' WHERE id IN (SELECT brand_id FROM moved) RETURNING id)
      INSERT INTO product (slug, name, description, category_id, brand_id, price_cents)
      SELECT 'p4', 'n', 'd', 1, brand_id, 1 FROM gone`)
    expect(await sorted()).toEqual([
      p('delete', 1),
      p('insert', 4),
      'update brand brand.country=FR brand.country=IT brand.slug=b2 brand:2',
      'update product product.brandId=1 product.brandId=2 product.categoryId=1 product.slug=p2 product:2',
    ])
  })

  it('a function, a DO block, a prepared statement, and a cursor', async () => {
    await session.rows(`
      CREATE FUNCTION touch(int) RETURNS void LANGUAGE sql AS 'UPDATE product SET stock = 7 WHERE id = $1';
      SELECT touch(1);
      DO $$ BEGIN UPDATE product SET stock = 8 WHERE id = 2; END $$;
      PREPARE t (int) AS UPDATE product SET stock = 9 WHERE id = $1; EXECUTE t (3); DEALLOCATE t;
      BEGIN; DECLARE c CURSOR FOR SELECT * FROM product WHERE id = 1 FOR UPDATE; FETCH c;
      DELETE FROM product WHERE CURRENT OF c; COMMIT`)
    expect(await told()).toEqual([p('update', 1), p('update', 2), p('update', 3), p('delete', 1)])
  })

  it('ON CONFLICT DO NOTHING: the rows that came, and none that stood in the way', async () => {
    await session.rows(`INSERT INTO product (slug, name, description, category_id, brand_id, price_cents)
      VALUES ('p1', 'n', 'd', 1, 1, 1), ('p9', 'n', 'd', 1, 1, 1) ON CONFLICT DO NOTHING`)
    expect(await told()).toEqual([expect.stringMatching(/^insert product .*product\.slug=p9 product:\d+$/)])
  })

  it('an update that changes nothing is told: it raises the version all the same', async () => {
    await session.rows('UPDATE product SET stock = stock WHERE id = 1')
    expect(await told()).toEqual([p('update', 1)])
    expect(await session.rows('SELECT version FROM product WHERE id = 1')).toEqual([{ version: 2 }])
  })

  it('two keys that swap places: both are told, with the tags of both sides', async () => {
    await session.rows('UPDATE product SET id = 3 - id + 100 WHERE id < 3')
    await told()
    await session.rows(`ALTER TABLE product DROP CONSTRAINT product_pkey; DELETE FROM tidemark.outbox;
      UPDATE product SET id = CASE id WHEN 101 THEN 102 ELSE 101 END WHERE id > 100`)
    const both = 'product.slug=p1 product.slug=p2'
    expect(await told()).toEqual([
      `update product product.brandId=1 product.categoryId=1 ${both} product:101`,
      `update product product.brandId=1 product.categoryId=1 ${both} product:102`,
    ])
  })

  it('a foreign key that sets a default, and one of a table to itself', async () => {
    await session.rows(`
      CREATE TABLE note (id int PRIMARY KEY, brand_id int DEFAULT 1 REFERENCES brand ON DELETE SET DEFAULT);
      SELECT tidemark.watch('note', 'note', 'id', '{"brandId": "brand_id"}'); INSERT INTO note VALUES (1, 2);
      UPDATE category SET parent_id = 1 WHERE id = 2; UPDATE product SET category_id = 2; DELETE FROM tidemark.outbox;
      DELETE FROM brand WHERE id = 2; DELETE FROM category WHERE id = 1`)
    expect(await sorted()).toEqual([
      'delete brand brand.country=FR brand.slug=b2 brand:2',
      'delete category category.slug=c1 category:1',
      'update category category.parentId=1 category.slug=c2 category:2',
      'update note note.brandId=1 note.brandId=2 note:1',
    ])
  })
})

describe('what stands between a statement and a table', () => {
  it('an updatable view: the rows of the table under it', async () => {
    await session.rows(`
      CREATE VIEW cheap AS SELECT id, slug, name, description, category_id, brand_id, price_cents FROM product WHERE price_cents < 500;
      INSERT INTO cheap (slug, name, description, category_id, brand_id, price_cents) VALUES ('p4', 'n', 'd', 1, 1, 1);
      UPDATE cheap SET brand_id = 2 WHERE slug = 'p4'; DELETE FROM cheap WHERE slug = 'p1'`)
    expect(await told()).toEqual([
      p('insert', 4),
      'update product product.brandId=1 product.brandId=2 product.categoryId=1 product.slug=p4 product:4',
      p('delete', 1),
    ])
  })

  it('a view with INSTEAD OF triggers: what these do', async () => {
    await session.rows(`
      CREATE VIEW shown AS SELECT id, name FROM product;
      CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN UPDATE product SET name = NEW.name WHERE id = OLD.id; RETURN NEW; END $$;
      CREATE TRIGGER instead INSTEAD OF UPDATE ON shown FOR EACH ROW EXECUTE FUNCTION instead();
      UPDATE shown SET name = 'other' WHERE id = 2`)
    expect(await told()).toEqual([p('update', 2)])
  })

  it('a rule that makes another statement of it: what was done, not what was asked for', async () => {
    await session.rows(`
      CREATE RULE keep AS ON DELETE TO product DO INSTEAD UPDATE product SET stock = 0 WHERE id = OLD.id;
      CREATE RULE also AS ON UPDATE TO brand DO ALSO DELETE FROM product WHERE brand_id = OLD.id AND id = 3;
      DELETE FROM product WHERE id = 2`)
    expect(await told()).toEqual([p('update', 2)])
    await session.rows(`UPDATE brand SET country = 'IT' WHERE id = 1`)
    expect(await sorted()).toEqual([
      'update brand brand.country=DE brand.country=IT brand.slug=b1 brand:1',
      p('update', 3),
    ])
  })

  it("a user's BEFORE trigger that changes the row: its tags are those of the row as it was stored", async () => {
    await session.rows(`
      CREATE FUNCTION reroute() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.brand_id := 2; RETURN NEW; END $$;
      CREATE TRIGGER a_first BEFORE INSERT OR UPDATE ON product FOR EACH ROW EXECUTE FUNCTION reroute();
      CREATE TRIGGER z_last BEFORE INSERT OR UPDATE ON product FOR EACH ROW EXECUTE FUNCTION reroute();
      UPDATE product SET brand_id = 1 WHERE id = 1`)
    expect(await told()).toEqual([
      'update product product.brandId=1 product.brandId=2 product.categoryId=1 product.slug=p1 product:1',
    ])
  })

  it("a user's BEFORE trigger that stops a row: only the rows that were written", async () => {
    await session.rows(`
      CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RETURN CASE WHEN OLD.id = 2 THEN NULL ELSE NEW END; END $$;
      CREATE TRIGGER stop BEFORE UPDATE ON product FOR EACH ROW EXECUTE FUNCTION stop();
      UPDATE product SET stock = 3`)
    expect(await told()).toEqual([p('update', 1), p('update', 3)])
  })

  it("a user's AFTER trigger that writes elsewhere, and one that waits for the commit", async () => {
    await session.rows(`
      CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN UPDATE brand SET name = name || TG_NAME WHERE id = NEW.brand_id; RETURN NULL; END $$;
      CREATE TRIGGER now AFTER UPDATE ON product FOR EACH ROW EXECUTE FUNCTION follow();
      CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON product DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION follow();
      BEGIN; UPDATE product SET stock = 1 WHERE id = 1`)
    const brand = 'update brand brand.country=DE brand.slug=b1 brand:1'
    expect(await told()).toEqual([brand, p('update', 1)])
    await session.rows('COMMIT')
    expect(await told()).toEqual([brand])
  })

  it('a deferred constraint that fails at the commit takes its changes with it', async () => {
    await session.rows(`ALTER TABLE product DROP CONSTRAINT product_brand_id_fkey, ADD CONSTRAINT late
      FOREIGN KEY (brand_id) REFERENCES brand DEFERRABLE INITIALLY DEFERRED; DELETE FROM tidemark.outbox`)
    await session.rows('BEGIN; UPDATE product SET brand_id = 99 WHERE id = 1')
    await expect(session.rows('COMMIT')).rejects.toThrow('late')
    expect(await told()).toEqual([])
    await session.rows(`BEGIN; UPDATE product SET brand_id = 99 WHERE id = 1;
      INSERT INTO brand (id, slug, name, country) VALUES (99, 'b99', 'n', 'DE'); COMMIT`)
    expect(await told()).toHaveLength(2)
  })
})

describe('generated columns', () => {
  it('a facet that is stored: its old and its new value', async () => {
    await session.rows(`
      CREATE TABLE box (id int PRIMARY KEY, w int, size text GENERATED ALWAYS AS (CASE WHEN w > 9 THEN 'big' ELSE 'small' END) STORED);
      SELECT tidemark.watch('box', 'box', 'id', '{"size": "size"}'); INSERT INTO box VALUES (1, 5); UPDATE box SET w = 50`)
    expect(await told()).toEqual([
      'insert box box.size=small box:1',
      'update box box.size=big box.size=small box:1',
    ])
  })

  it('a facet that is virtual is refused, for triggers do not see it', async ({ skip }) => {
    const [{ major }] = (await session.rows<{ major: number }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS major`,
    )) as [{ major: number }]
    skip(major < 18, 'Postgres has virtual columns from 18 on')
    await session.rows(
      'CREATE TABLE box (id int PRIMARY KEY, w int, twice int GENERATED ALWAYS AS (w * 2) VIRTUAL)',
    )
    await expect(
      session.rows(`SELECT tidemark.watch('box', 'box', 'id', '{"twice": "twice"}')`),
    ).rejects.toThrow(`facet 'twice': column twice is generated and virtual`)
    await session.rows(`SELECT tidemark.watch('box', 'box', 'id'); INSERT INTO box VALUES (1, 5)`)
    expect(await told()).toEqual(['insert box box:1'])
  })
})
