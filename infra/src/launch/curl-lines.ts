import type { ServiceName } from './settings.js'

export interface CurlLine {
  readonly title: string
  readonly command: string
}

/** Lines to try, each complete as it stands. `token` is one that a write has given; `categoryId` has products. */
export function curlLines(
  urls: Readonly<Record<ServiceName, string>>,
  token: string,
  categoryId: number,
): CurlLine[] {
  const product = '/v1/products/1'
  const json = "-H 'Content-Type: application/json'"
  return [
    { title: 'read one', command: `curl -i ${urls.read}${product}` },
    {
      title: 'list by facet',
      command: `curl -i '${urls.read}/v1/products?categoryId=${String(categoryId)}&limit=2'`,
    },
    {
      title: 'write',
      command: `curl -i -X PATCH ${urls.write}${product} -H 'Content-Type: application/merge-patch+json' -d '{"priceCents": 2999}'`,
    },
    { title: 'read your write (token)', command: `curl -i ${urls.read}${product} -H 'Tidemark: ${token}'` },
    { title: 'read strictly', command: `curl -i ${urls.read}${product} -H 'Tidemark-Level: strict'` },
    {
      title: 'invalidate by hand',
      command: `curl -i -X POST ${urls.invalidation}/v1/invalidations ${json} -d '{"tags": ["product:1"], "reason": "trying it out"}'`,
    },
    { title: 'positions and lag', command: `curl -i ${urls.invalidation}/v1/status` },
  ]
}
