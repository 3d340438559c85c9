/** Runs the modules named on the command line, one after the other, each on an empty Redis, and says what each has printed. */
import { pathToFileURL } from 'node:url'
import { formatWithOptions } from 'node:util'

import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL']!)
const printed: Record<string, string> = {}
const { log } = console
for (const file of process.argv.slice(2)) {
  await redis.flushall()
  const lines: string[] = []
  console.log = (...words: unknown[]) => {
    lines.push(formatWithOptions({ colors: false }, ...words))
  }
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    lines.push(String(error))
  }
  printed[file] = lines.join('\n')
}
log(JSON.stringify(printed))
redis.disconnect()
