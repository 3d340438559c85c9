/** One cache policy for each kind of answer: it says how to cache, and by which route the answer is counted. */
import { definePolicy } from '@tidemark/cache'
import type { Policy } from '@tidemark/cache'
import type { Registry, View } from '@tidemark/resources'

export interface Policies {
  /** The route of each kind of answer, by the `kind` of its policy. */
  readonly routes: ReadonlyMap<string, string>
  one(view: View): Policy
  list(view: View): Policy
}

interface Kind {
  readonly name: string
  readonly route: string
}

export function createPolicies({ all, relations }: Registry): Policies {
  const kinds = all.flatMap((resource) =>
    [false, true]
      .filter((isEmbedding) => !isEmbedding || relations(resource).length > 0)
      .flatMap((isEmbedding) => [oneOf(resource, isEmbedding), listOf(resource, isEmbedding)]),
  )
  return {
    routes: new Map(kinds.map(({ name, route }) => [name, route])),
    one: remembered(oneOf),
    list: remembered(listOf),
  }
}

type Named = Pick<View['resource'], 'name' | 'path'>

const oneOf = ({ name, path }: Named, isEmbedding: boolean): Kind => ({
  name: isEmbedding ? `${name} with includes` : name,
  route: `${path}/{id}`,
})

const listOf = ({ name, path }: Named, isEmbedding: boolean): Kind => ({
  name: isEmbedding ? `lists of ${name} with includes` : `lists of ${name}`,
  route: path,
})

/** One policy for each view: a registry gives the same one for the same names, so there are not many. */
function remembered(kindOf: (resource: Named, isEmbedding: boolean) => Kind): (view: View) => Policy {
  const policies = new Map<View, Policy>()
  return (view) => {
    const policy = policies.get(view) ?? policyOf(view, kindOf(view.resource, view.relations.length > 0).name)
    policies.set(view, policy)
    return policy
  }
}

/** A client waits no longer than this for an origin that hangs where there is something that may be graced. */
const timeoutMs = 2_000

function policyOf({ cache }: View, kind: string): Policy {
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
