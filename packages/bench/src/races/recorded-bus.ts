import { connect } from '../peers/connect.js'

interface Message {
  readonly channel: string
  readonly bytes: Buffer
}

export interface RecordedBus {
  /** Publishes all of it once more, last message first; how many there were. */
  redeliver(): Promise<number>
  close(): void
}

/** How long messages may take to their subscribers. */
const deliveryMs = 100

/** Everything that is published on a Redis, so that it can be published again: late, and out of order. */
export async function recordBus(redisUrl: string): Promise<RecordedBus> {
  const [listener, publisher] = [connect(redisUrl), connect(redisUrl)]
  const heard: Message[] = []
  listener.on('pmessageBuffer', (_, channel: Buffer, bytes: Buffer) => {
    heard.push({ channel: channel.toString(), bytes })
  })
  await listener.psubscribe('*')
  return {
    async redeliver() {
      const messages = heard.toReversed()
      for (const { channel, bytes } of messages) await publisher.publish(channel, bytes)
      await new Promise((resolve) => setTimeout(resolve, deliveryMs))
      return messages.length
    },
    close() {
      listener.disconnect()
      publisher.disconnect()
    },
  }
}
