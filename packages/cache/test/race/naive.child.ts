import { serveRaces } from '../../src/testing/index.js'
import { naive } from './naive-cache.js'
import type { NaiveOptions } from './naive-cache.js'

serveRaces(naive(JSON.parse(process.argv[2]!) as NaiveOptions))
