import { serveRaces } from '../../src/testing/index.js'
import { ourAdapter } from './our-adapter.js'

// On a busy machine a slow answer would cost a lease, by right; what processes race for here is the lease.
serveRaces(ourAdapter({ deadlineMs: 5_000 }))
