/** The process of one contestant: opens its peer, then answers calls until its parent is gone. */
import { fill } from './work/fill.js'
import { fresh } from './work/fresh.js'
import { hung } from './work/hung.js'
import { l1Heap } from './work/l1-heap.js'
import { l1Hit } from './work/l1-hit.js'
import { l2Hit } from './work/l2-hit.js'
import { rowChange } from './work/row-change.js'
import { stampede } from './work/stampede.js'
import type { Calls, WorkInput, WorkName } from './work/work.js'

const works: Record<WorkName, (input: WorkInput) => Promise<Calls>> = {
  'l1-hit': l1Hit,
  'l1-heap': l1Heap,
  'l2-hit': l2Hit,
  fill,
  stampede,
  fresh,
  'row-change': rowChange,
  hung,
}

interface Question {
  readonly id: number
  readonly name: string
  readonly input: never
}

const input = JSON.parse(process.argv[2]!) as WorkInput
const opening = works[input.work](input)
opening.catch(() => undefined)

async function answer({ id, name, input: given }: Question): Promise<void> {
  try {
    const calls = await opening
    const result = name === 'open' ? undefined : await calls[name]!(given)
    process.send!({ id, result })
  } catch (error) {
    process.send!({ id, error: error instanceof Error ? error.message : String(error) })
  }
}

// A connection that breaks when a store is stopped is nobody's failure here; what matters fails its call.
process.on('unhandledRejection', () => undefined)
process.on('message', (message) => void answer(message as Question))
process.on('disconnect', () => process.exit())
// The parent may have gone while this file was being loaded, before anyone listened.
if (!process.connected) process.exit()
process.on('SIGINT', () => undefined)
