import type { HttpClient } from './http-client.js'

/** Answers that the read services took from the origin so far, by their own count. */
export async function originReads(readers: readonly HttpClient[]): Promise<number> {
  const counts = await Promise.all(
    readers.map(async (reader) => {
      const { body } = await reader.get('/metrics')
      const line = /^tidemark_cache_answers_total\{[^}]*layer="origin"[^}]*\} (\d+)/m.exec(body)
      return line === null ? NaN : Number(line[1])
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}
