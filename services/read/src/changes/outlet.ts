import type { ServerResponse } from 'node:http'

/** `slow`: the subscriber did not take what it was sent within the time it has. */
type Sent = 'sent' | 'slow' | 'closed'

export interface Outlet {
  /** Resolves when there is room for more: no more than one chunk waits for the subscriber in this process's memory. */
  send(events: readonly string[]): Promise<Sent>
}

/** Characters that are handed over at a time, and one event more. */
const chunkMax = 32_768

export function createOutlet(res: ServerResponse, slowMs: number, signal: AbortSignal): Outlet {
  const room = (): Promise<Sent> =>
    new Promise((resolve) => {
      const end = (sent: Sent) => () => {
        clearTimeout(timer)
        res.off('drain', onDrain)
        signal.removeEventListener('abort', onClose)
        resolve(sent)
      }
      const [onDrain, onClose] = [end('sent'), end('closed')]
      const timer = setTimeout(end('slow'), slowMs)
      res.on('drain', onDrain)
      signal.addEventListener('abort', onClose)
    })

  const write = (chunk: string): Promise<Sent> | Sent => {
    if (signal.aborted) return 'closed'
    return res.write(chunk) ? 'sent' : room()
  }

  return {
    async send(events) {
      let chunk = ''
      for (const event of events) {
        chunk += event
        if (chunk.length < chunkMax) continue
        const sent = await write(chunk)
        if (sent !== 'sent') return sent
        chunk = ''
      }
      return chunk === '' ? 'sent' : write(chunk)
    },
  }
}
