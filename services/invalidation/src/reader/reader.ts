/** The read services as a client sees them, behind one URL. */
import { wholeBody } from './whole-body.js'

export interface Reader {
  /** @throws where there is no answer within the deadline; a status is an answer */
  get(key: string, options: AskOptions): Promise<ReaderAnswer>
}

interface AskOptions {
  /** Readers do not count these requests as heat. */
  readonly purpose: 'warm' | 'audit'
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface ReaderAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

const deadlineMs = 5_000
/** Far above a page of the longest rows. */
const bodyMaxBytes = 16 * 1_048_576

/** `base`: of the read services, or of what stands before them. Only paths below its `/v1/` are asked for. */
export function createReader(base: string): Reader {
  const root = base.replace(/\/+$/, '')
  const allowed = new URL(`${root}/v1/`)
  return {
    async get(key, { purpose, headers, signal }) {
      const url = new URL(`${root}${key}`)
      // A key comes out of a store: `..` in it would lead elsewhere.
      if (url.origin !== allowed.origin || !url.pathname.startsWith(allowed.pathname))
        throw new Error('a key that leads out of /v1/')
      const deadline = AbortSignal.timeout(deadlineMs)
      const answer = await fetch(url, {
        headers: { ...headers, 'Tidemark-Purpose': purpose, 'User-Agent': `tidemark-${purpose}` },
        redirect: 'manual',
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      })
      return { status: answer.status, headers: answer.headers, body: await wholeBody(answer, bodyMaxBytes) }
    },
  }
}
