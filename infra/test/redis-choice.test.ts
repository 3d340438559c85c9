import { expect, test } from 'vitest'

import { chooseRedis } from '../src/stores/redis-choice.js'
import type { RedisProbes } from '../src/stores/redis-choice.js'

function probes(found: { url?: string; commands?: string[]; docker?: boolean; apt?: boolean }) {
  const asked: string[] = []
  const all: RedisProbes = {
    url: found.url,
    findCommand(name) {
      asked.push(name)
      return Promise.resolve(found.commands?.includes(name) ? `/bin/${name}` : undefined)
    },
    dockerAnswers() {
      asked.push('docker')
      return Promise.resolve(found.docker ?? false)
    },
    mayUseApt() {
      asked.push('apt')
      return Promise.resolve(found.apt ?? false)
    },
  }
  return { all, asked }
}

test('a URL from the environment goes before everything, and nothing else is asked', async () => {
  const { all, asked } = probes({ url: 'redis://there', commands: ['redis-server'], docker: true, apt: true })
  expect(await chooseRedis(all)).toEqual({ from: 'environment', url: 'redis://there' })
  expect(asked).toEqual([])
})

test('redis-server on the PATH goes before valkey-server, and both before Docker', async () => {
  const both = probes({ commands: ['redis-server', 'valkey-server'], docker: true })
  expect(await chooseRedis(both.all)).toEqual({ from: 'path', command: '/bin/redis-server' })
  const valkey = probes({ commands: ['valkey-server'], docker: true })
  expect(await chooseRedis(valkey.all)).toEqual({ from: 'path', command: '/bin/valkey-server' })
  expect(valkey.asked).toEqual(['redis-server', 'valkey-server'])
})

test('without a program Docker is taken before the system is changed with apt-get', async () => {
  expect(await chooseRedis(probes({ docker: true, apt: true }).all)).toEqual({ from: 'docker' })
  const last = probes({ apt: true })
  expect(await chooseRedis(last.all)).toEqual({ from: 'apt' })
  expect(last.asked).toEqual(['redis-server', 'valkey-server', 'docker', 'apt'])
})

test('with nothing to take, one error lists every choice', async () => {
  const failure = chooseRedis(probes({}).all)
  await expect(failure).rejects.toMatchObject({ code: 'no_redis' })
  await expect(failure).rejects.toThrow(/REDIS_URL.*redis-server.*valkey-server.*PATH.*Docker.*apt-get/)
})
