import { expect, test } from 'vitest'
import { sinkList } from '../src/sinks/sink-list.js'

const said = (text: string): string => sinkList().safeParse(text).error?.issues[0]?.message ?? 'fine'

test('pairs and JSON name the same sinks', () => {
  const sinks = [
    { name: 'eu', url: 'redis://:p%2Cw=1@eu:6379/2' },
    { name: 'us-2', url: 'rediss://us:6380' },
  ]
  expect(sinkList().parse('eu=redis://:p%2Cw=1@eu:6379/2, us-2=rediss://us:6380')).toEqual(sinks)
  expect(sinkList().parse('{"eu":"redis://:p%2Cw=1@eu:6379/2","us-2":"rediss://us:6380"}')).toEqual(sinks)
})

test.each([
  ['eu=http://eu', 'sink 1 ("eu"): must be a URL such as redis://host:6379'],
  ['eu=redis://a,us=', 'sink 2 ("us"): must be a URL such as redis://host:6379'],
  ['redis://a', "sink 1: its name must be 1 to 40 letters, digits, '-' or '_'"],
  ['eu=redis://a,', "sink 2: its name must be 1 to 40 letters, digits, '-' or '_'"],
  ['eu west=redis://a', `sink 1 ("eu west"): its name must be 1 to 40 letters, digits, '-' or '_'`],
  ['eu=redis://a,eu=redis://b', 'sink 2 ("eu"): the name is taken'],
  ['redis=redis://a', 'sink 1 ("redis"): the name is taken by REDIS_URL'],
  ['{"eu":7}', 'sink 1 ("eu"): must be a URL such as redis://host:6379'],
  ['{"eu"', 'must be name=url,name=url or a JSON object of names and URLs'],
  [Array.from({ length: 9 }, (_, i) => `s${i}=redis://a`).join(','), 'must name at most 8 sinks, not 9'],
])('%s is refused by place and name', (text, message) => {
  expect(said(text)).toBe(message)
})

test('no message shows a password', () => {
  for (const text of ['eu=http://:secret@eu', ':secret@eu', '{"eu":"http://u:secret@eu"}'])
    expect(said(text)).not.toContain('secret')
})
