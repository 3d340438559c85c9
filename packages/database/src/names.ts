/**
 * Names in the API and names in SQL. A table is its model's name and a column its field's name, in snake_case; the schema
 * keeps to that and a test holds it to it, so names are computed and never listed.
 */
import { Prisma } from './generated/client.js'

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** `categoryId` -> `category_id` */
export const columnOf = (field: string): string => snake(field)

/** `category_id` -> `categoryId` */
export const fieldOf = (column: string): string =>
  column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** `IdempotencyKey` -> `idempotency_key` */
export const tableOf = (model: string): string => snake(model).slice(1)

/** Model name -> its scalar fields, API names. */
export const modelFields: ReadonlyMap<string, readonly string[]> = new Map(
  Object.values(Prisma.ModelName).map((model) => [model, Object.values(Prisma[`${model}ScalarFieldEnum`])]),
)

/**
 * The fields that a constraint is about, from its name, as Prisma names constraints: `product_category_id_fkey` ->
 * `['categoryId']`. The driver reports the name alone. A constraint named otherwise gives `[]`.
 */
export function fieldsOfConstraint(constraint: string): string[] {
  const body = constraint.replace(/_(key|fkey|check|pkey|excl)$/, '')
  for (const [model, fields] of modelFields) {
    const table = tableOf(model)
    if (constraint === `${table}_pkey`) return fields.includes('id') ? ['id'] : []
    if (!body.startsWith(`${table}_`)) continue
    const found = split(body.slice(table.length + 1), fields)
    if (found) return found
  }
  return []
}

/** `category_id_slug` -> `['categoryId', 'slug']`: column names hold underscores too, so each possible first one is tried. */
function split(columns: string, fields: readonly string[]): string[] | undefined {
  for (const field of fields) {
    const column = columnOf(field)
    if (columns === column) return [field]
    if (!columns.startsWith(`${column}_`)) continue
    const rest = split(columns.slice(column.length + 1), fields)
    if (rest) return [field, ...rest]
  }
  return undefined
}
