import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Router, type RequestHandler } from 'express'
import { contextOf } from '../logging/request-context.js'
import { methodNotAllowed } from '../problems/method-not-allowed.js'
import type { Api } from './api.js'

/**
 * The API's documentation: `/openapi.json`, and Swagger UI at `/docs` out of its own package.
 *
 * Nothing is loaded from elsewhere: no CDN, no online validator, no inline script, and a content security policy that
 * holds the page to that. All links are relative, so it also works behind a path prefix.
 */
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const START_SCRIPT = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  validatorUrl: null,
  queryConfigEnabled: false,
  deepLinking: true,
  tryItOutEnabled: true,
})
`

export function docsRouter(api: Api): Router {
  const router = Router()
  const require = createRequire(import.meta.url)
  const root = dirname(require.resolve('swagger-ui-dist/package.json'))

  router.get('/openapi.json', named('/openapi.json'), (_req, res) => {
    res.set('Cache-Control', 'no-cache').json(api.document())
  })
  router.get('/docs', named('/docs'), (req, res) => {
    // Relative links would point one level too deep.
    if (req.path.endsWith('/')) {
      res.redirect(308, '../docs')
      return
    }
    res.set('Content-Security-Policy', CONTENT_SECURITY_POLICY).set('Cache-Control', 'no-cache')
    res.type('html').send(page(api.document().info.title))
  })
  router.get('/docs/start.js', named('/docs/start.js'), (_req, res) => {
    res.set('Cache-Control', 'no-cache').type('js').send(START_SCRIPT)
  })
  for (const asset of ASSETS) {
    router.get(`/docs/${asset}`, named(`/docs/${asset}`), (_req, res) => {
      res.sendFile(asset, { root, maxAge: '1h' })
    })
  }
  for (const route of ['/openapi.json', '/docs', '/docs/start.js'])
    router.all(route, methodNotAllowed(route, ['GET']))
  return router
}

function named(route: string): RequestHandler {
  return (req, _res, next) => {
    contextOf(req).route = route
    next()
  }
}

function page(title: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escaped(title)}</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
