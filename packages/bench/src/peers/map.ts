import type { Peer, Value } from './peer.js'

export const map: Peer = {
  name: 'Map',
  kind: 'floor',
  tiers: ['l1'],
  hasBus: false,
  open({ load }) {
    const values = new Map<string, Value>()
    return Promise.resolve({
      get: (key) => values.get(key) ?? load(key).then((value) => (values.set(key, value), value)),
      close: () => Promise.resolve(),
    })
  },
}
