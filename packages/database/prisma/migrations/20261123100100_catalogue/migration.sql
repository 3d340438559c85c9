-- The sample catalogue, as Prisma's model has it, with the rules that hold whoever writes.

CREATE TABLE "category" (
  "id"         SERIAL NOT NULL,
  "slug"       TEXT NOT NULL,
  "name"       TEXT NOT NULL,
  "parent_id"  INTEGER,
  "version"    INTEGER NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "category_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "category_parent_id_check" CHECK ("parent_id" <> "id")
);

CREATE TABLE "brand" (
  "id"         SERIAL NOT NULL,
  "slug"       TEXT NOT NULL,
  "name"       TEXT NOT NULL,
  "country"    TEXT NOT NULL,
  "version"    INTEGER NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "brand_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "product" (
  "id"          SERIAL NOT NULL,
  "slug"        TEXT NOT NULL,
  "name"        TEXT NOT NULL,
  "description" TEXT NOT NULL,
  "category_id" INTEGER NOT NULL,
  "brand_id"    INTEGER NOT NULL,
  "price_cents" INTEGER NOT NULL,
  "stock"       INTEGER NOT NULL DEFAULT 0,
  "attributes"  JSONB NOT NULL DEFAULT '{}',
  "version"     INTEGER NOT NULL DEFAULT 1,
  "created_at"  TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at"  TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "product_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "product_price_cents_check" CHECK ("price_cents" >= 0),
  CONSTRAINT "product_stock_check" CHECK ("stock" >= 0)
);

CREATE TABLE "idempotency_key" (
  "scope"        TEXT NOT NULL,
  "key"          TEXT NOT NULL,
  "request_hash" TEXT NOT NULL,
  "status"       INTEGER,
  "headers"      JSONB,
  "body"         TEXT,
  "created_at"   TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "expires_at"   TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("scope", "key")
);

CREATE UNIQUE INDEX "category_slug_key" ON "category" ("slug");
CREATE INDEX "category_parent_id_idx" ON "category" ("parent_id");
CREATE UNIQUE INDEX "brand_slug_key" ON "brand" ("slug");
CREATE UNIQUE INDEX "product_slug_key" ON "product" ("slug");
CREATE INDEX "product_category_id_id_idx" ON "product" ("category_id", "id");
CREATE INDEX "product_brand_id_id_idx" ON "product" ("brand_id", "id");
CREATE INDEX "product_name_id_idx" ON "product" ("name", "id");
CREATE INDEX "product_price_cents_id_idx" ON "product" ("price_cents", "id");
CREATE INDEX "product_created_at_id_idx" ON "product" ("created_at", "id");
CREATE INDEX "idempotency_key_expires_at_idx" ON "idempotency_key" ("expires_at");

ALTER TABLE "category" ADD CONSTRAINT "category_parent_id_fkey"
  FOREIGN KEY ("parent_id") REFERENCES "category" ("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "product" ADD CONSTRAINT "product_category_id_fkey"
  FOREIGN KEY ("category_id") REFERENCES "category" ("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "product" ADD CONSTRAINT "product_brand_id_fkey"
  FOREIGN KEY ("brand_id") REFERENCES "brand" ("id") ON DELETE RESTRICT ON UPDATE CASCADE;
