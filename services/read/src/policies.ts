/** One cache policy for each kind of answer: it says how to cache, and by which route the answer is counted. */
import { definePolicy } from '@tidemark/cache'
import type { Policy } from '@tidemark/cache'
import type { Registry, Resource } from '@tidemark/resources'

interface Kind {
  readonly policy: Policy
  readonly route: string
}

export interface Policies {
  readonly all: readonly Kind[]
  one(resource: Resource): Policy
  list(resource: Resource): Policy
}

export function createPolicies({ all }: Registry): Policies {
  const kinds = (
    kindOf: (resource: Resource) => string,
    routeOf: (resource: Resource) => string,
  ): Map<Resource, Kind> =>
    new Map(
      all.map((resource) => [
        resource,
        { policy: policyOf(resource, kindOf(resource)), route: routeOf(resource) },
      ]),
    )
  const ones = kinds(
    ({ name }) => name,
    ({ path }) => `${path}/{id}`,
  )
  const lists = kinds(
    ({ name }) => `lists of ${name}`,
    ({ path }) => path,
  )
  return {
    all: [...ones.values(), ...lists.values()],
    one: (resource) => ones.get(resource)!.policy,
    list: (resource) => lists.get(resource)!.policy,
  }
}

/** A client waits no longer than this for an origin that hangs where there is something that may be graced. */
const timeoutMs = 2_000

function policyOf({ cache }: Resource, kind: string): Policy {
  const { ttlMs, negativeTtlMs, graceMs, level, maxLagMs } = cache
  return definePolicy({
    kind,
    ttl: ttlMs,
    negativeTtl: negativeTtlMs,
    grace: graceMs,
    level,
    maxLag: maxLagMs,
    timeout: timeoutMs,
  })
}
