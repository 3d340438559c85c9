/** Sends an answer that came through the app, as the hit path would have sent it. */
import type { Answer, Tide } from '@tidemark/cache'
import { elapsedMs } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import type { Request, Response } from 'express'
import type { Story } from './answer-headers.js'
import { answerHeaders, jsonType } from './answer-headers.js'
import { isMatched } from './entity-tag.js'

export interface Exchange {
  readonly req: Request
  readonly res: Response
}

/** A body under its own entity tag: 304 where the client has it already. */
export function sendBody({ req, res }: Exchange, story: Story, body: Buffer, etag: string): void {
  setHeaders(res, answerHeaders(story, etag))
  const condition = req.headers['if-none-match']
  if (condition !== undefined && isMatched(condition, etag)) {
    res.status(304).end()
    return
  }
  res
    .set('Content-Type', jsonType)
    .set('Content-Length', String(body.length))
    .end(req.method === 'HEAD' ? undefined : body)
}

/** Headers that say how fresh it is that there is nothing, or a body without an entity tag. */
export function tellFreshness(res: Response, story: Story): void {
  setHeaders(res, answerHeaders(story, undefined))
}

/**
 * What an answer may say about its lag, counted from the time its request came in.
 *
 * By then this process could show a bound, and what it answers with is judged no earlier: so the bound holds, longer by
 * the time that the answer took. A load of one's own, and a strict answer, hold everything committed before the request
 * came. The bound that can be shown *after* waiting says nothing: the follower may have gone on without the answer.
 */
export function lagFrom(tide: Tide, isStrict: boolean): (answer: Answer<unknown>) => number {
  const cameAt = tide.now()
  const lagThenMs = tide.follower.lagMs(cameAt)
  return ({ from, shared }) => {
    if (from === 'stale') return Infinity
    const tookMs = elapsedMs(cameAt, tide.now())
    return isStrict || (from === 'load' && !shared) ? tookMs : lagThenMs + tookMs
  }
}

export function storyOf(answer: Answer<unknown>, lagMs: number, sent: Token | undefined): Story {
  const { from, shared, ageMs, ttlLeftMs, token, historyLost } = answer
  return {
    cache: from === 'load' ? 'miss' : from === 'stale' ? 'graced' : 'hit',
    layer: from === 'load' || from === 'stale' ? 'origin' : from,
    isShared: shared,
    ageMs,
    ttlMs: ttlLeftMs,
    token,
    lagMs,
    isHistoryLost: historyLost || isOfLaterTerm(token, sent),
  }
}

/** The client is handed a token of a newer term than the one it sent: also when that term began while it was answered. */
export const isOfLaterTerm = (given: Token | undefined, sent: Token | undefined): boolean =>
  given !== undefined && sent !== undefined && given.term > sent.term

function setHeaders(res: Response, headers: readonly string[]): void {
  for (let i = 0; i < headers.length; i += 2) res.setHeader(headers[i]!, headers[i + 1]!)
}
