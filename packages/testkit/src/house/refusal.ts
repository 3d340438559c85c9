import type { ProblemBody, Received, Sending } from './exchange.js'
import type { ServiceProcess } from './service-process.js'

/** A request that must be refused, and how. */
export interface Refusal {
  readonly because: string
  readonly method: string
  readonly path: string
  readonly sending?: Sending
  readonly status: number
  /** Named in `errors`, as a parameter or as a pointer into the body; left out: nothing in particular is wrong. */
  readonly field?: string
}

/** What is wrong with the answer; empty: a problem document with this status that names the field. */
export async function judgeRefusal(service: ServiceProcess, refusal: Refusal): Promise<string> {
  const { method, path, sending, status, field } = refusal
  const answer = await service.send(method, path, sending)
  const said = `${answer.status} ${answer.text.slice(0, 400)}`
  if (answer.status !== status) return `not ${status} but ${said}`
  if (method === 'HEAD') return answer.text === '' ? '' : `HEAD with a body: ${said}`
  return faultOf(answer, field) ?? ''
}

function faultOf(answer: Received, field: string | undefined): string | undefined {
  if (answer.headers['content-type'] !== 'application/problem+json')
    return `no problem document but ${String(answer.headers['content-type'])}`
  if (answer.headers['cache-control'] !== 'no-store') return 'a problem that may be stored'
  const problem = answer.json<ProblemBody>()
  if (problem.status !== answer.status || !problem.type.startsWith('/problems/') || problem.title === '')
    return `not a problem of RFC 9457: ${answer.text}`
  if (problem.requestId !== answer.headers['x-request-id']) return 'another requestId than X-Request-Id'
  const fields = problem.errors?.map((error) => error.field) ?? []
  if (field !== undefined && !fields.includes(field))
    return `names ${fields.join(', ') || 'nothing'}, not ${field}`
  return undefined
}
