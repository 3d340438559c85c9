import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'

import {
  default as keyvTestSuite,
  keyvCompresstionTests as keyvCompressionTests,
  keyvIteratorTests,
} from '@keyv/test-suite'
import { redisSpace } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import type { CompressionAdapter } from 'keyv'
import { Keyv } from 'keyv'
import * as vitest from 'vitest'

import { keyvStore } from '../src/adapters/keyv.js'
import type { Cache } from '../src/index.js'
import { createCache, guardRedis } from '../src/index.js'
import { connect } from './real-redis.js'

const { afterAll, beforeAll, describe, expect, test } = vitest
const { url, prefix } = redisSpace()
let redis: Redis
let cache: Cache
const store = () => keyvStore(cache)

beforeAll(async () => {
  redis = await connect(url)
  cache = createCache({ redis: guardRedis(redis, { deadlineMs: 5_000 }), prefix, namespace: 'keyv' })
  await cache.ready()
})
afterAll(async () => {
  await cache.close()
  redis.disconnect()
})

const zip = promisify(gzip)
const unzip = promisify(gunzip)

/** The suite wants a compressor too; it stands for any. */
const compressor: CompressionAdapter = {
  compress: async (value) => (await zip(String(value))).toString('base64'),
  decompress: async (value) => (await unzip(Buffer.from(value as string, 'base64'))).toString(),
  serialize: async ({ value, expires }) =>
    JSON.stringify({ value: await compressor.compress(value), expires }),
  deserialize: async (data) => {
    const { value, expires } = JSON.parse(data)
    return { value: await compressor.decompress(value), expires }
  },
}

describe('@keyv/test-suite', () => {
  describe('API, values, namespaces', () => {
    keyvTestSuite(vitest as never, Keyv, store)
  })
  describe('iterator', () => {
    keyvIteratorTests(vitest as never, Keyv, store)
  })
  describe('compression', () => {
    keyvCompressionTests(vitest as never, compressor)
    test('on this store', async () => {
      const keyv = new Keyv({ store: store(), compression: compressor })
      await keyv.set('compressed', 'bar')
      expect(await keyv.get('compressed')).toBe('bar')
    })
  })
})
