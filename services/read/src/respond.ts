/** Sends an answer that came through the app, as the hit path would have sent it. */
import type { Answer, Tide } from '@tidemark/cache'
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

export function storyOf(answer: Answer<unknown>, tide: Tide): Story {
  const { from, shared, ageMs, ttlLeftMs, token, historyLost } = answer
  return {
    cache: from === 'load' ? 'miss' : from === 'stale' ? 'graced' : 'hit',
    layer: from === 'load' || from === 'stale' ? 'origin' : from,
    isShared: shared,
    ageMs,
    ttlMs: ttlLeftMs,
    token,
    // What was read just now is as fresh as can be; what was graced has no bound.
    lagMs: from === 'load' ? 0 : from === 'stale' ? Infinity : tide.follower.lagMs(tide.now()),
    isHistoryLost: historyLost,
  }
}

function setHeaders(res: Response, headers: readonly string[]): void {
  for (let i = 0; i < headers.length; i += 2) res.setHeader(headers[i]!, headers[i + 1]!)
}
