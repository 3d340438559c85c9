/**
 * The hit path: bytes that are ready, sent ahead of the router.
 *
 * The cache key of an answer is its canonical URL, so a plain GET is answered from L1 by its raw URL alone. Whatever
 * asks for more (a token, a level, another method) and whatever L1 cannot answer at the resource's own level goes on to
 * the app, untouched. The check is the cache's: afloat, of this epoch, within its ttl, and the follower's lag within the
 * resource's bound, read from the clock for this very request.
 */
import type { Cache, Tide } from '@tidemark/cache'
import type { Representation } from '@tidemark/resources'
import type { DurationSeries, FirstHandler, Metrics } from '@tidemark/service'
import { answerHeaders, jsonType } from './answer-headers.js'
import { isMatched } from './entity-tag.js'
import type { HeatMeter } from './heat/heat-meter.js'
import type { Policies } from './policies.js'
import type { SurrogateOf } from './surrogate-keys.js'

export interface HitPathOptions {
  readonly cache: Cache
  readonly tide: Tide
  readonly policies: Policies
  readonly metrics: Metrics
  readonly surrogateOf: SurrogateOf
  /** Told of every GET, whoever answers it. */
  readonly heat?: HeatMeter | undefined
}

export function createHitPath({
  cache,
  tide,
  policies,
  metrics,
  surrogateOf,
  heat,
}: HitPathOptions): FirstHandler {
  const seriesOf = (status: 200 | 304): Map<string, DurationSeries> =>
    new Map(
      [...policies.routes].map(([kind, route]) => [
        kind,
        metrics.requestSeries({ method: 'GET', route, status }),
      ]),
    )
  const found = seriesOf(200)
  const unchanged = seriesOf(304)

  return (req, res) => {
    if (req.method !== 'GET') return false
    const asked = conditionOf(req.rawHeaders)
    const entry = asked === special ? undefined : cache.hit<Representation | null>(req.url!)
    heat?.note(req, entry)
    if (entry?.value == null) return false

    const now = tide.now()
    const { body, etag } = entry.value
    const headers = answerHeaders(
      {
        cache: 'hit',
        layer: 'l1',
        isShared: false,
        ageMs: now.wallMs - entry.loadedAtMs,
        ttlMs: entry.expiresAtMs - now.wallMs,
        token: cache.tokenFor(entry),
        lagMs: tide.follower.lagMs(now),
        isHistoryLost: false,
        surrogate: surrogateOf(entry.tags, entry.expiresAtMs - now.wallMs, true),
      },
      etag,
    )
    const isUnchanged = asked !== plain && isMatched(asked, etag)
    if (isUnchanged) {
      res.writeHead(304, headers)
      res.end()
    } else {
      headers.push('Content-Type', jsonType, 'Content-Length', String(body.length))
      res.writeHead(200, headers)
      res.end(body)
    }
    const series = (isUnchanged ? unchanged : found).get(entry.policy.kind)
    series?.observe((tide.now().monoMs - now.monoMs) / 1_000)
    return true
  }
}

const plain = ''
const special = '\0'

/**
 * What the raw headers ask for: `plain`, `special` (a token or a level: not for this path), or the If-None-Match.
 * `req.headers` would build an object of all of them first.
 */
function conditionOf(rawHeaders: readonly string[]): string {
  let condition = plain
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    // By length first: few headers share one of ours.
    if (name.length === 8 || name.length === 14) {
      const lower = name.toLowerCase()
      if (lower === 'tidemark' || lower === 'tidemark-level') return special
    } else if (name.length === 13 && name.toLowerCase() === 'if-none-match') {
      condition = condition === plain ? rawHeaders[i + 1]! : special
    }
  }
  return condition
}
